//! Archives that other packers made, so that our own reading is not all that
//! our reading is tested by.
//!
//! In: nothing. Out: archives of one log each, `ex010719.log`; those with AES
//! have the password `secret`. The zip with AES is pyzipper's, that with LZMA
//! Python's own, each 7z is py7zr's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The bytes of a sample.
pub fn sample(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}

/// What other packers made of the log of `archives`, in base64.
pub const AES_ZIP: &str = "\
    UEsDBBQAAQBjAOdLeV0AAAAAuAAAAEEUAAAMAAsAZXgwMTA3MTkubG9nAZkHAAIAQUUDCABWkO\
    +2ANZV3LPotmJ/reiwoFcQPIsHdd93aGFaVtlhUnaKoijXN6H34XiToTmju2K1G4z8mnr2ZPzz\
    /wyMSYpF03qIdU/xXRY15uTdgs7wPQvNTI6cZKwbHyXMow5m7AqeIZNV1jMqeFz0WJ5jObUpgi\
    d9mhn5KVwPSRfnVUwTxRPDbxBtNRAHSCgOAsIxzALxmS16QMBlVXl9/EcufdElFWGtkUApz//L\
    XSDrQAZxnQCtqQtGC5lQUEsBAhQDFAABAGMA50t5XQAAAAC4AAAAQRQAAAwACwAAAAAAAAAAAI\
    ABAAAAAGV4MDEwNzE5LmxvZwGZBwACAEFFAwgAUEsFBgAAAAABAAEARQAAAO0AAAAAAA==\
";

/// What other packers made of the log of `archives`, in base64.
pub const AES_7Z: &str = "\
    N3q8ryccAARpNijUMAEAAAAAAAAWAAAAAAAAAOw0PsX8zFwL/PjqdDuG8seW5J9H8xXmOWgNyO\
    +JWmZSjDxUwl4jWHflrban/SH35voXigk0XvuCqh4neqbhnEdkwvglFD5RYyqFlgYSJOYmFKAE\
    VitHc+X7LHWapeLeosSdBICKyHA7+k31uJ8SNuJaqdDVOG1ACe/BDlI3X7WvgDD4KmwZYLOc0n\
    vkMaR2hB3lqYSCrlp7wIt5lEf1boq4YThxrYGb9oue9nDTDwsaWIaIluAAegB4XQAAgTMHrg/V\
    MLfbIM8IYFecKTPNJ0Xk8i223TPsxt/hjGOiULO2ctBBbxt85jUCuRj+WjqJmnOFN/PRzcKfg7\
    0JejlEW5Th6WjIub42wOtnQ4lKTDRwg4k7LFGaVp7uZM15ETT1ryhM2g05MYLsPMfUzk4yQ1oA\
    AAAAFwaAsAEJgIAABwsBAAEhIQEYDHsAAA==\
";

/// What other packers made of the log of `archives`, in base64.
pub const AES_7Z_HIDDEN: &str = "\
    N3q8ryccAAS2yqTWMAEAAAAAAAAqAAAAAAAAAO4A9OoKUG7YN6rV+fUn9nTAtAb0N17UiXqTgk\
    LGN2Bas7RESSLhQD+4QcSKnP+9l0hECxrYZIVM5Q4VlTvuSX9fmiPlWcHhIjljnMtvjNAyiiRp\
    X+cLiF9BFx/KDb2Roj0wnynKzLiE4yUIxJu8uNnnOtHuYlyirfnl+Q2p1jxiATXdM5L4jpMs24\
    T6RMxSU3oy8/UeU8eciCAEtXKvJwEEMftIrIu+ROvKTzNBivIBC7a+7DhsXstyz0eFepaQgIVg\
    NJipROXYd7NgVN1rPhEyk8A56VYeLuo4xi0Jhwm18jfa3GrFvC4by3tbxPHFbd2Oz1fqG1vN7H\
    VtGNX2eSdviIIlbZRfM1nw4MV4iRGafkafjSqkXrqjg3IJUFuvj/TXQcqgd3tVj2qr278jZbim\
    hKlzFwaAsAEJgIAABwsBAAEkBvEHARJTD+vm5CI0/oUeemqT/3AqHZUMewAA\
";

/// What other packers made of the log of `archives`, in base64.
pub const PPMD_7Z: &str = "\
    N3q8ryccAAT5DkIcBwEAAAAAAAAVAAAAAAAAAOX6f+oAIyXasFPdeFXwOFBsR4+6tU0EVBMfY6\
    P40wr99GsFBb8O7OVzjFz5/G1D5diTEbWSdRqicwClz+Nh8CiuSLaGj4RMsfbvXp4gxsJnCQ9o\
    zm9MKyf4gkdxJAnZhWN9au1OYyldoe4znP6mxgpp/Zv4Ybt5AfspZj2tdFeUZL4a5n3l3UNnsL\
    hRNa+nJrZ4k1f2eY0iM8Ir32yLSzNbEF9W6QMUJADgAF4AWl0AAIEzB64P1TB5Vlck0/6zfi+Y\
    OUtE8DTYy/YTRTsWv6kLQEA2M8oiE+uUGjvbsr08ksK2lMAILVT5iiW8PsbLITL502ybeFZvOa\
    B+wpZML2+2mQKfsfHaAAAAABcGgKUBCWIABwsBAAEhIQEYDF8AAA==\
";

/// What other packers made of the log of `archives`, in base64.
pub const LZMA_ZIP: &str = "\
    UEsDBD8AAgAOAOdLeV2uA00KqwAAAEEUAAAMAAAAZXgwMTA3MTkubG9nCQQFAF0AAIAAABGRiS\
    ZTkndy+/q3mqPgCg0pRCyeDpTBbSC8aro7IQzmLtHZyYPyxtusIjO97JmvjD2qbNhbGGfy61Z4\
    IshER7cnRiyRuYB1N1yS+tSkJQxpkcPepLYYXiGq6E3a3A4GFNbaFEhJBS6VrZxwOZOpTkHEzl\
    bBb+US8JU+JkDMpkuw1XY8ojn1kcuzgHcDaUC2hJ/ylDUeB1ypEl1wSf/kKyAAUEsBAj8DPwAC\
    AA4A50t5Xa4DTQqrAAAAQRQAAAwAAAAAAAAAAAAAAIABAAAAAGV4MDEwNzE5LmxvZ1BLBQYAAA\
    AAAQABADoAAADVAAAAAAA=\
";
