importScripts("package/olm.js", "conversation.js");
// A script cannot know where `importScripts` has found it.
globalThis.OLM_OPTIONS = { locateFile: (name) => `package/${name}` };
conversation(Olm).catch(String).then(postMessage);
