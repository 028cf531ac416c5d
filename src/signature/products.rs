//! Products that live on IIS, as the catalogues of others call them.
//!
//! In: `signatures/products.yml`. Out: for a vendor, a product and a CVE
//! whether a log of IIS could show an attack on it. The list is data, since
//! names of vendors change and products come.

use serde::Serialize;

use crate::raw::Raw;
use crate::signature::advisories::is_cve;
use crate::signature::catalogue::read_list;
use crate::signature::diagnostic::{Diagnostic, Faults, quote};
use crate::signature::entries::Entries;
use crate::signature::yaml::Text;

/// The products of one vendor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Vendor {
    /// The vendor: one of these words stands in the name that others use.
    pub id: String,
    /// Words of which one stands in the product's name.
    pub products: Vec<String>,
    /// Faults in products that have only in part to do with IIS.
    pub cves: Vec<String>,
}

impl Vendor {
    /// Whether the fault is one in a product on IIS. Names are compared by
    /// whole words, without regard to case.
    pub fn has(&self, vendor: &str, product: &str, cve: &str) -> bool {
        holds_words(vendor, &self.id)
            && (self.products.iter().any(|it| holds_words(product, it))
                || self.cves.iter().any(|it| it.eq_ignore_ascii_case(cve)))
    }
}

/// Reads `products.yml`.
pub(super) fn read_products(
    file: &Raw,
    text: Text<'_>,
) -> Result<Vec<Vendor>, Vec<Diagnostic>> {
    read_list(file, text, vendor)
}

fn vendor(map: Entries<'_>, faults: &mut Faults<'_>) -> Option<Vendor> {
    map.known(&["id", "products", "cves"], faults);
    let id = map.required("id", faults);
    let products = map.texts("products", faults);
    let cves = map.texts("cves", faults);
    for node in map.nodes("cves", faults) {
        let text = node.text().unwrap_or_default();
        if !is_cve(text) {
            let what = format!("{} is no CVE id", quote(text));
            faults.add(node.at(), what);
        }
    }
    if products.is_empty() && cves.is_empty() {
        map.missing("products", faults);
    }
    Some(Vendor { id: id?, products, cves })
}

/// Whether the words stand side by side in the text.
fn holds_words(text: &str, words: &str) -> bool {
    let (text, words) = (cut(text), cut(words));
    !words.is_empty()
        && text.windows(words.len()).any(|part| part == words.as_slice())
}

/// The words of a name in lower case: letters, digits, and dots within.
fn cut(text: &str) -> Vec<String> {
    let parts = |c: char| !c.is_alphanumeric() && c != '.';
    text.split(parts)
        .map(|word| word.trim_matches('.').to_lowercase())
        .filter(|word| !word.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_by_words() {
        let one = Vendor {
            id: "Microsoft".to_owned(),
            products: vec!["IIS".to_owned(), "ASP.NET".to_owned()],
            cves: vec!["CVE-2025-59287".to_owned()],
        };
        let has = |product, cve| one.has("Microsoft Corp.", product, cve);
        assert!(has("Internet Information Services (IIS)", "CVE-1-1"));
        assert!(has("asp.net core", "CVE-1-1"));
        assert!(!has("Priisma", "CVE-1-1"));
        assert!(has("Windows", "CVE-2025-59287"));
        assert!(!has("Windows", "CVE-2025-59288"));
        assert!(!one.has("Micro", "IIS", "CVE-1-1"));
    }

    #[test]
    fn faults_have_places() {
        let file = Raw::from("products.yml");
        let text = "- id: A\n  products: [x]\n- id: B\n- id: C\n  cves: [D]\n";
        let found = read_products(&file, text.as_bytes().into()).unwrap_err();
        let found: Vec<_> = found.iter().map(Diagnostic::brief).collect();
        assert_eq!(
            found,
            [
                "products.yml:3:3: the entry needs `products`",
                "products.yml:5:10: `D` is no CVE id",
            ]
        );
    }
}
