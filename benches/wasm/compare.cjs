// node compare.cjs MOCERIL VODOZEMAC [ROUNDS]: times both modules in this process, in turns, and
// prints a table. Times are the medians of the rounds, in microseconds of processor time; the ratio
// is the median of the rounds' ratios.
const [ours, theirs] = process.argv.slice(2, 4).map((file) => require(file));
const rounds = Number(process.argv[4] ?? 40);

// How often each runs in a round: for some milliseconds.
const operations = {
  "account, new": 30,
  "50 one-time keys": 2,
  "outbound Olm session + first message": 8,
  "inbound Olm session from pre-key message": 8,
  "Olm encrypt, established chain": 200,
  "Olm encrypt + decrypt in order": 200,
  "Olm ping-pong, two messages": 6,
  "Olm session pickle": 200,
  "Olm session unpickle": 200,
  "account with 50 one-time keys, pickle": 50,
  "account with 50 one-time keys, unpickle": 5,
  "group session, new": 50,
  "Megolm encrypt": 50,
  "Megolm decrypt in order": 30,
  "Megolm decrypt newest first, of 200": 200,
  "Megolm decrypt, batch of 100": 100,
  "session key: parse, verify, new inbound": 30,
  "exported key: parse, import, first event": 30,
  "inbound group session pickle": 300,
  "inbound group session unpickle": 300,
};

function time(module, operation, count) {
  const work = module.prepare(operation, count);
  const begun = process.cpuUsage();
  work.run();
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / count;
}

const sorted = (values) => [...values].sort((a, b) => a - b);
const at = (values, part) => sorted(values)[Math.floor((values.length - 1) * part)].toFixed(2);

console.log("| operation | moceril | vodozemac | vodozemac / moceril | quartiles |");
console.log("|---|---:|---:|---:|---:|");
for (const [operation, count] of Object.entries(operations)) {
  const times = { ours: [], theirs: [], ratio: [] };
  // The first round brings everything into the caches, and does not count.
  for (let round = 0; round <= rounds; round++) {
    const turn = { ours: 0, theirs: 0 };
    const order = [["ours", ours], ["theirs", theirs]];
    for (const [name, module] of round % 2 ? order : order.reverse()) {
      turn[name] = time(module, operation, count);
    }
    if (round === 0) continue;
    times.ours.push(turn.ours);
    times.theirs.push(turn.theirs);
    times.ratio.push(turn.theirs / turn.ours);
  }
  const medians = [times.ours, times.theirs].map((values) => at(values, 0.5)).join(" | ");
  const quartiles = [0.25, 0.75].map((part) => at(times.ratio, part)).join("–");
  console.log(`| ${operation} | ${medians} | **${at(times.ratio, 0.5)}** | ${quartiles} |`);
}
