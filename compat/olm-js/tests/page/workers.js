const answer = (worker) =>
  new Promise((done) => {
    worker.onmessage = ({ data }) => done(data);
    worker.onerror = ({ message }) => done(message);
  });
const script = answer(new Worker("worker.js"));
const module = answer(new Worker("worker.mjs", { type: "module" }));
const both = Promise.all([script, module]);
report(both.then(([one, other]) => (one === other ? one : `${one}, ${other}`)));
