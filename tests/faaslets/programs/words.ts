// words.ts - for tests: an unchanged program of AssemblyScript that does what
// words.rs does.
const chunk = new ArrayBuffer(4096);
let text = "";
let count = process.stdin.read(chunk);
while (count > 0) {
  text += String.UTF8.decode(chunk.slice(0, count));
  count = process.stdin.read(chunk);
}

const counts = new Map<string, i32>();
let word = "";
for (let i = 0; i <= text.length; i++) {
  if (i < text.length && text.charCodeAt(i) > 32) {
    word += text.charAt(i);
  } else if (word.length > 0) {
    counts.set(word, counts.has(word) ? counts.get(word) + 1 : 1);
    word = "";
  }
}
if (counts.size == 0) {
  process.stderr.write("no words\n");
  process.exit(3);
}

class Entry {
  constructor(public word: string, public count: i32) {}
}
const entries = new Array<Entry>();
const words = counts.keys();
for (let i = 0; i < words.length; i++) {
  entries.push(new Entry(words[i], counts.get(words[i])));
}
entries.sort((a, b) =>
  a.count != b.count ? b.count - a.count : a.word < b.word ? -1 : 1,
);
let limit = 3;
if (process.env.has("LIMIT")) limit = <i32>parseInt(process.env.get("LIMIT"));
for (let i = 0; i < entries.length && i < limit; i++) {
  process.stdout.write(
    entries[i].count.toString() + " " + entries[i].word + "\n",
  );
}
