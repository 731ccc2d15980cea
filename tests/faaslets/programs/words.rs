// words.rs - for tests: an unchanged program of Rust. Counts the words of its
// input and prints the most frequent, LIMIT of them (3), the first in the
// alphabet when there are several. Exits with 3 when there is none.
use std::collections::HashMap;
use std::io::{self, Read, Write};

fn main() -> io::Result<()> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    let limit: usize = std::env::var("LIMIT")
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or(3);
    let mut counts: HashMap<&str, u32> = HashMap::new();
    for word in text.split_whitespace() {
        *counts.entry(word).or_default() += 1;
    }
    if counts.is_empty() {
        eprintln!("no words");
        std::process::exit(3);
    }
    let mut words: Vec<(&str, u32)> = counts.into_iter().collect();
    words.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let mut output = io::stdout().lock();
    for (word, count) in words.iter().take(limit) {
        writeln!(output, "{} {}", count, word)?;
    }
    Ok(())
}
