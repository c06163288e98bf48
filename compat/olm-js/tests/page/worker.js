importScripts("package/olm.js", "conversation.js");
conversation(Olm).catch(String).then(postMessage);
