//! Made-up rules, to see what many of them cost.

use std::fs;
use std::io;
use std::path::Path;

use super::generate::Dice;

/// Parts of words that paths of products are made of.
const PARTS: [&str; 24] = [
    "adm", "backup", "cfg", "dash", "edit", "file", "gate", "host", "inst",
    "job", "key", "log", "mail", "net", "ops", "prox", "query", "rep", "set",
    "task", "up", "view", "web", "xml",
];

const ENDINGS: [&str; 6] = [".aspx", ".ashx", ".asp", ".php", ".dll", ".jsp"];

/// Writes `count` rules of two or three literals each into a folder.
pub fn write(count: u64, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut dice = Dice::new(11);
    let mut word = move |most: u64| -> String {
        let parts = (0..2 + dice.below(most))
            .map(|_| PARTS[dice.below(PARTS.len() as u64) as usize]);
        let parts: Vec<_> = parts.collect();
        format!("{}{}", parts.concat(), dice.below(100))
    };
    for n in 0..count {
        let (folder_of, page) = (word(2), word(1));
        let (key, value) = (word(1), word(2));
        let ending = ENDINGS[n as usize % ENDINGS.len()];
        let detection = match n % 3 {
            0 => format!(
                "    cs-uri-stem|contains: '/{folder_of}/{page}{ending}'\n"
            ),
            1 => format!(
                "    cs-uri-stem|endswith:\n      - '/{page}{ending}'\n      \
                 - '/{folder_of}{ending}'\n    cs-uri-query|contains: \
                 '{key}='\n"
            ),
            _ => format!("    cs-uri-query|contains: '{key}={value}'\n"),
        };
        let rule = format!(
            "title: Made-up rule {n}\nid: 00000000-0000-4000-8000-{n:012}\n\
             name: made-up-{n}\nstatus: test\nlogsource:\n  category: \
             webserver\ndetection:\n  selection:\n{detection}  condition: \
             selection\nlevel: low\n"
        );
        fs::write(folder.join(format!("made-up-{n}.yml")), rule)?;
    }
    Ok(())
}
