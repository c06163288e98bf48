report(conversation(window.Olm));
