//! Answers of real servers: profile, version, request, answer; outcome and
//! confidence. A version or profile of `-` is not known. An answer is
//! status, Win32 error and size, as far as they are logged.

use super::{answer, signatures};

#[track_caller]
fn check(table: &str) {
    let set = signatures();
    for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let cells: Vec<_> = row.split("; ").collect();
        let [profile, iis, request, given, expected] = cells[..] else {
            panic!("not five cells: {row}");
        };
        let got = answer(&set, profile, iis, request, given);
        let words =
            format!("{} {}", got.outcome.as_str(), got.confidence.as_str());
        assert_eq!(words, expected, "{row} {got:?}");
    }
}

#[test]
fn filters_and_parsers() {
    let refusals = "404.5 404.6 404.7 404.8 404.10 404.11 404.12 404.13 \
        404.14 404.15 404.18 404.19 404.20 403.6 403.501 403.502 403.503 \
        403.504 401.501 401.504 404.501 404.504";
    for given in refusals.split_ascii_whitespace() {
        for start in ["-; 7.5", "isapi; 8.5", "file; 10.0"] {
            check(&format!(
                "{start}; GET /a.ida -; {given} 0; blocked certain"
            ));
        }
    }
    for given in ["400 87", "413.1 0", "414 0", "431 0", "505 0"] {
        for profile in ["cgi", "query"] {
            check(&format!(
                "{profile}; 8.5; GET /a.php -; {given}; blocked likely"
            ));
        }
    }
    check("api; 8.5; GET /a.php -; 400.0 0; blocked possible");
}

#[test]
fn switched_off() {
    check(
        "
        isapi; 6.0; GET /a.ida -; 404.2 1260; disabled certain
        isapi; 6.0; GET /a.ida -; 404 1260; disabled certain
        cgi; 6.0; GET /a.exe -; 404.2 1260; disabled certain
        file; 7.5; GET /a.mdb -; 404.3 50; disabled certain
        file; 6.0; GET /a.mdb -; 404 50; disabled likely
        file; 7.5; GET /a.sys -; 404.9 0; disabled certain
        dav; 7.5; PUT /a.txt -; 404.16 50; disabled certain
        file; 8.5; GET /.git/HEAD -; 404.17 50; disabled certain
        cgi; 6.0; GET /a.exe -; 403.1 0; disabled certain
        file; 6.0; PUT /a.txt -; 403.3 0; denied certain
        file; 6.0; GET /a.asp -; 403.21 5; denied certain
        aspnet; 7.5; GET /a.aspx -; 403.18 0; denied certain
        file; 7.5; GET /img/ -; 403.14 0; disabled certain
        dav; 8.5; PROPFIND / -; 405.0 1; disabled likely
        dav; 5.1; PROPFIND / -; 405 1; disabled likely
        dav; 5.0; SEARCH / -; 501 0; disabled likely
        aspnet; 7.5; GET /a.aspx -; 500.19 5; disabled likely
        aspnet; 7.5; GET /a.aspx -; 500.21 0; disabled likely
        ",
    );
}

#[test]
fn not_there() {
    check(
        "
        isapi; 5.0; GET /default.ida NN; 404 2; absent certain
        isapi; 5.0; GET /default.ida NN; 404 0; absent certain
        isapi; 4.0; GET /x.idq -; 404 -; absent certain
        isapi; 5.1; GET /NULL.Printer -; 404 0; absent certain
        isapi; 5.0; GET /a.shtml -; 404 0; absent likely
        isapi; 5.0; GET /msadc/a.dll -; 404 2; absent certain
        isapi; 6.0; GET /a.ida -; 404.0 2; absent certain
        isapi; 6.0; GET /a.ida -; 404.0 0; absent possible
        isapi; 8.5; GET /a.ida -; 404.0 64; absent likely
        isapi; 8.5; GET /a.ida -; 404.4 2; absent certain
        cgi; 5.0; GET /scripts/root.exe /c+dir; 404 3; absent certain
        cgi; 5.0; GET /scripts/..%5c/cmd.exe /c+dir; 500 87; absent likely
        cgi; 8.5; GET /scripts/root.exe /c+dir; 404.0 2; absent certain
        file; 8.5; GET /a.bak -; 404.0 3; absent certain
        file; 8.5; GET /a.bak -; 404.0 995; absent likely
        file; 8.5; GET /a.bak -; 404.0 1236; absent likely
        file; 8.5; GET /a.bak -; 404; absent possible
        shell; 8.5; POST /a.aspx -; 404.0 2; absent certain
        -; -; GET /a.php -; 404; absent likely
        query; 8.5; GET /a.php id=1; 410.0 0; absent likely
        ",
    );
}

#[test]
fn guarded() {
    check(
        "
        cgi; 5.0; GET /scripts/a.exe -; 401 5; denied certain
        api; 8.5; GET /ews/ -; 401.1 2148074254; denied certain
        api; 8.5; GET /ews/ -; 401.2 5; denied certain
        file; 8.5; GET /a.bak -; 401.3 5; denied certain
        file; 8.5; GET /a.bak -; 403.0 0; denied likely
        -; 8.5; GET /a/ -; 403.14 0; denied likely
        query; 8.5; GET /a.asp id=1; 403.0 0; denied possible
        dav; 6.0; PUT /a.txt -; 403.3 5; denied certain
        dav; 6.0; GET /a.asp -; 403.21 5; denied certain
        api; 8.5; GET /owa/ -; 302.0 0; denied possible
        api; 8.5; GET /owa/ -; 440.0 0; denied likely
        aspnet; 8.5; GET /a.axd -; 302.0 0; denied possible
        file; 8.5; GET /a.bak -; 407.0 0; denied certain
        ",
    );
}

#[test]
fn answered() {
    check(
        "
        isapi; 5.0; GET /default.ida NN; 200 0; reached likely
        isapi; 5.0; GET /a.printer -; 500 0; reached possible
        file; 8.5; GET /a.bak -; 200.0 0; reached likely
        file; 8.5; GET /a.bak -; 200.0 64; reached likely
        file; 8.5; GET /a.bak -; 206.0 0; reached likely
        file; 8.5; GET /a.bak -; 304.0 0; reached likely
        aspnet; 8.5; POST /a.aspx -; 500.0 0; reached possible
        aspnet; 8.5; POST /a.aspx -; 301.0 0; reached possible
        api; 8.5; POST /a.svc -; 415.0 0; reached possible
        api; 8.5; POST /ecp/proxyLogon.ecp -; 241.0 0; reached likely
        dav; 5.0; PROPFIND / -; 207 0; reached certain
        dav; 5.0; SEARCH / -; 411 0; reached likely
        query; 8.5; GET / q=%24%7Bjndi; 200.0 0; reached possible
        query; 5.0; GET /a.asp id='|9|80040e14; 500 0; reached possible
        query; 6.0; GET /a.asp id='|9|80040e14; 500.100 0; reached possible
        -; 6.0; GET /a.asp id='|9|80040e14; 500.100 0; reached likely
        cgi; 8.5; GET /a.php -; 502.3 0; reached possible
        cgi; 8.5; GET /a.php -; 502 0; reached possible
        shell; 8.5; GET /a.aspx -; 200.0 0; reached likely
        shell; 8.5; HEAD /a.aspx -; 200.0 0; reached likely
        isapi; 6.0; GET /a.ida -; 500.0 64 0; reached possible
        ",
    );
}

#[test]
fn broken_and_successful() {
    check(
        "
        isapi; 6.0; GET /a.htr -; 500.0 0 0; crashed possible
        aspnet; 8.5; GET /a.aspx -; 500.12 0; crashed possible
        aspnet; 8.5; GET /a.aspx -; 503.2 0; crashed possible
        cgi; 5.0; GET /a/cmd.exe /c+dir; 200 0 930; succeeded certain
        cgi; 5.0; GET /a/cmd.exe /c+dir; 200 0; succeeded likely
        cgi; 6.0; GET /a/cmd.exe /c+dir; 200.0 0 9; succeeded likely
        cgi; 8.5; GET /a/cmd.exe /c+dir; 200.0 0 9; succeeded possible
        cgi; 4.0; GET /a/cmd.exe /c+copy; 502 0; succeeded certain
        cgi; 5.0; GET /a/cmd.exe /c+copy; 502 64; succeeded certain
        cgi; 6.0; GET /a/cmd.exe /c+copy; 502.2 0; succeeded likely
        cgi; 8.5; GET /a/cmd.exe /c+ping; 502.1 0; succeeded likely
        cgi; -; GET /a/cmd.exe /c+dir; 502 0; succeeded possible
        dav; 5.0; PUT /a.txt -; 201 0; succeeded certain
        dav; 6.0; MOVE /a.txt -; 201.0 0; succeeded certain
        dav; 6.0; put /a.txt -; 204.0 0; succeeded likely
        dav; 6.0; DELETE /a.txt -; 204.0 0; succeeded likely
        shell; 8.5; POST /a.aspx -; 200.0 0; succeeded likely
        shell; 8.5; GET /a.aspx cmd=dir; 200.0 0; succeeded likely
        ",
    );
}

#[test]
fn not_known() {
    check(
        "
        -; 4.0; GET /a.ida -; - 2; unknown certain
        cgi; 8.5; GET /a.ida -; -.- -; unknown certain
        cgi; 8.5; GET /a.ida -; 0.0 64; unknown certain
        header; 8.5; POST /ecp/ -; 200.0 0; unknown likely
        header; 8.5; POST /ecp/ -; 302.0 0; unknown likely
        -; 8.5; GET /a -; 406.0 0; unknown possible
        -; 8.5; GET /a -; 500.52 0; unknown likely
        -; 8.5; GET /a -; x.y z; unknown possible
        -; 8.5; GET /a -; 99999.0 0; unknown possible
        ",
    );
}
