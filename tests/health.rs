//! Requests, probes, downloads and checks against servers that behave, and against many that do not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use otto::model::{CheckKind, CheckResult, CheckSpec, Health, Host, HostState, Ways};
use otto::net::{Client, Download, NetError, Request, Response, connect, ssh_greeting};
use otto::services::health::{Asker, Level, Page, Scope, Settings, check_page, deployment, probe_host, worst};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const SHORT: Duration = Duration::from_millis(300);

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

/// How a test server answers.
#[derive(Clone)]
enum Manner {
    /// Accepts and says nothing.
    Silent,
    /// Closes before the answer.
    Hangup,
    /// Promises 100 bytes and closes after 5.
    Short,
    /// A chunked body in three parts.
    Chunked,
    /// More and more, without end.
    Endless,
    /// One byte each 50 ms, without end.
    Drip,
    /// No HTTP at all.
    Noise,
    /// Sends these bytes and closes.
    Says(Vec<u8>),
    /// Sends these bytes once it was asked.
    Replies(Vec<u8>),
    /// A page that says which Host it was asked for; its name in X-Served-By, where it has one.
    Page(Option<&'static str>),
    /// Pages of several backends in turn, the first number of requests answered 503.
    Turn(Vec<&'static str>, usize),
}

async fn serve(manner: Manner) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        let mut count = 0;
        while let Ok((stream, _)) = listener.accept().await {
            count += 1;
            tokio::spawn(answer(stream, manner.clone(), count));
        }
    });
    port
}

async fn answer(mut stream: TcpStream, manner: Manner, count: usize) {
    if let Manner::Says(bytes) = &manner {
        let _ = stream.write_all(bytes).await;
        return;
    }
    let mut asked = Vec::new();
    let mut part = [0_u8; 1024];
    while !asked.windows(4).any(|w| w == b"\r\n\r\n") {
        match stream.read(&mut part).await {
            Ok(n) if n > 0 => asked.extend_from_slice(&part[..n]),
            _ => return,
        }
    }
    let asked = String::from_utf8_lossy(&asked).to_lowercase();
    let host = asked.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or("nobody").to_owned();
    let page = |status: &str, by: Option<&str>| {
        let body = format!("hello from {host}");
        let by = by.map(|name| format!("x-sErVeD-bY: {name}\r\n")).unwrap_or_default();
        format!("HTTP/1.1 {status}\r\n{by}content-length: {}\r\n\r\n{body}", body.len())
    };
    let text = match manner {
        Manner::Replies(bytes) => return drop(stream.write_all(&bytes).await),
        Manner::Silent => return tokio::time::sleep(Duration::from_secs(30)).await,
        Manner::Hangup | Manner::Says(_) => return,
        Manner::Short => "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello".to_owned(),
        Manner::Noise => "220 mail.example ESMTP\r\n".to_owned(),
        Manner::Chunked => {
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhell\r\n3;x=y\r\no w\r\n4\r\norld\r\n0\r\n\r\n"
                .into()
        }
        Manner::Endless | Manner::Drip => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            let (size, pause) = if matches!(manner, Manner::Drip) { (1, 50) } else { (65_536, 0) };
            while stream.write_all(&vec![b'x'; size]).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
            return;
        }
        Manner::Page(by) => page("200 OK", by),
        Manner::Turn(names, failures) if count <= failures => page("503 Service Unavailable", names.first().copied()),
        Manner::Turn(names, _) => page("200 OK", names.get(count % names.len()).copied()),
    };
    let _ = stream.write_all(text.as_bytes()).await;
    let _ = stream.shutdown().await;
}

async fn get(manner: Manner) -> Result<Response, NetError> {
    let port = serve(manner).await;
    let mut request = Request::address("127.0.0.1", port, "/").host("hello.localhost").timeout(SHORT);
    request.max_body = 100_000;
    Client::new().get(&request).await
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port()
}

#[test]
fn bodies_are_whole_or_an_error() {
    run(async {
        let chunked = get(Manner::Chunked).await.expect("an answer");
        assert_eq!((chunked.status, &*chunked.text(), chunked.truncated), (200, "hello world", false));
        for bad in [Manner::Short, Manner::Hangup] {
            let error = get(bad).await.expect_err("an incomplete answer");
            assert!(matches!(error, NetError::Closed { .. }), "{error:?}");
        }
        let noise = get(Manner::Noise).await.expect_err("no HTTP");
        assert!(matches!(noise, NetError::Protocol { .. }), "{noise:?}");
    });
}

#[test]
fn nothing_takes_longer_or_more_than_it_may() {
    run(async {
        let endless = get(Manner::Endless).await.expect("the beginning of an answer");
        assert_eq!((endless.body.len(), endless.truncated), (100_000, true));
        for slow in [Manner::Silent, Manner::Drip] {
            let began = Instant::now();
            let error = get(slow).await.expect_err("no answer in time");
            assert!(matches!(error, NetError::TimedOut { .. }), "{error:?}");
            assert!(began.elapsed() < SHORT * 3);
        }
    });
}

#[test]
fn the_host_header_is_sent_and_names_below_localhost_are_here() {
    run(async {
        assert_eq!(get(Manner::Page(None)).await.expect("a page").text(), "hello from hello.localhost");
        let port = serve(Manner::Page(None)).await;
        let answer = Client::new().get(&Request::url(format!("http://a.b.localhost:{port}/x"))).await;
        assert_eq!(answer.expect("a page").text(), format!("hello from a.b.localhost:{port}"));
    });
}

#[test]
fn the_places_of_errors_are_named() {
    run(async {
        let port = free_port();
        let error = Client::new().get(&Request::address("127.0.0.1", port, "/")).await.expect_err("nobody there");
        assert_eq!(error, NetError::Refused { place: format!("127.0.0.1:{port}") });
        let error = Client::new().get(&Request::url("http://nowhere.invalid/")).await.expect_err("no such name");
        assert!(matches!(error, NetError::Unresolved { .. }), "{error:?}");
        assert!(error.is_unreachable());
    });
}

#[test]
fn ports_and_greetings_are_probed() {
    run(async {
        let silent = serve(Manner::Silent).await;
        assert!(connect("127.0.0.1", silent, SHORT).await.is_ok());
        assert!(matches!(ssh_greeting("127.0.0.1", silent, SHORT).await, Err(NetError::TimedOut { .. })));
        let ssh = serve(Manner::Says(b"welcome\r\nSSH-2.0-Test_1\r\n".to_vec())).await;
        assert_eq!(ssh_greeting("127.0.0.1", ssh, SHORT).await.expect("a greeting").banner, "SSH-2.0-Test_1");
        let flood = serve(Manner::Says(vec![b'\n'; 100_000])).await;
        assert!(matches!(ssh_greeting("127.0.0.1", flood, SHORT).await, Err(NetError::Protocol { .. })));
        assert!(matches!(connect("127.0.0.1", free_port(), SHORT).await, Err(NetError::Refused { .. })));
    });
}

#[test]
fn downloads_are_verified_or_not_there() {
    let body = b"the file".to_vec();
    let sum: String = Sha256::digest(&body).iter().map(|b| format!("{b:02x}")).collect();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
    let whole = [head.as_bytes(), &body].concat();
    let folder = tempfile::tempdir().expect("a folder");
    let to = folder.path().join("file");
    let fetch = |answer: Vec<u8>, sha256: String, max_size: u64| {
        let to = to.clone();
        run(async move {
            let url = format!("http://127.0.0.1:{}/file", serve(Manner::Replies(answer)).await);
            let wanted = Download { url: &url, to: &to, sha256: &sha256, timeout: Duration::from_secs(5), max_size };
            Client::new().download(&wanted).await
        })
    };
    let left = || std::fs::read_dir(folder.path()).expect("a folder").count();
    let wrong = fetch(whole.clone(), "0".repeat(64), 1000).expect_err("another file");
    assert!(matches!(wrong, NetError::Checksum { .. }), "{wrong:?}");
    let large = fetch(whole.clone(), sum.clone(), 3).expect_err("too large");
    assert!(matches!(large, NetError::TooLarge { .. }), "{large:?}");
    let short = fetch(whole[..whole.len() - 3].to_vec(), sum.clone(), 1000).expect_err("cut off");
    assert!(matches!(short, NetError::Closed { .. }), "{short:?}");
    let gone = fetch(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec(), sum.clone(), 1000);
    assert!(matches!(gone, Err(NetError::Status { status: 404, .. })), "{gone:?}");
    assert_eq!(left(), 0);
    assert_eq!(fetch(whole, sum.to_uppercase(), 1000), Ok(8));
    assert_eq!((std::fs::read(&to).expect("the file"), left()), (body, 1));
}

fn host(name: &str, port: u16, probe: &str) -> Host {
    let role = name.split('-').next().unwrap_or(name);
    let json = format!(
        r#"{{"name":"{name}","role":"{role}","address":"127.0.0.1","connection":"local","probe":"{probe}",
           "vars":{{"http_port":{port}}}}}"#
    );
    serde_json::from_str(&json).expect("a host")
}

fn settings() -> Settings {
    Settings { timeout: SHORT, ..Settings::default() }
}

fn check(path: &str, status: u16, body: &str) -> CheckSpec {
    CheckSpec { name: "own".into(), http: path.into(), domain: None, status, body: Some(body.into()) }
}

/// `name: state` of all that is not ok.
fn complaints(results: &[CheckResult]) -> Vec<String> {
    let bad = results.iter().filter(|result| result.state != Health::Ok);
    bad.map(|result| format!("{}: {} ({})", result.name, result.state.word(), result.detail)).collect()
}

#[test]
fn a_healthy_deployment_has_nothing_to_complain_about() {
    run(async {
        let (one, two) = (serve(Manner::Page(Some("www-1"))).await, serve(Manner::Page(Some("www-2"))).await);
        let front = serve(Manner::Turn(vec!["www-1", "www-2"], 0)).await;
        let hosts = [
            host("lb-1", front, &format!("tcp:{front}")),
            host("www-1", one, &format!("http:{one}/")),
            host("www-2", two, &format!("tcp:{two}")),
        ];
        let domains = ["hello.localhost".to_owned(), "www.hello.localhost".to_owned()];
        let (checks, endpoint) = ([check("/", 200, "hello")], format!("http://127.0.0.1:{front}/"));
        let scope = Scope {
            hosts: &hosts,
            endpoint: Some(&endpoint),
            domains: &domains,
            checks: &checks,
            tls: None,
            ways: &Ways::new(),
        };
        let full = deployment(&Client::new(), &scope, Level::Full, settings()).await;
        assert_eq!(complaints(&full), Vec::<String>::new());
        let names: Vec<&str> = full.iter().map(|result| result.name.as_str()).collect();
        let expected = [
            "lb-1 up",
            "www-1 up",
            "www-2 up",
            "www-1 serves hello.localhost",
            "www-1 serves www.hello.localhost",
            "www-2 serves hello.localhost",
            "www-2 serves www.hello.localhost",
            "endpoint serves hello.localhost",
            "endpoint serves www.hello.localhost",
            "spread over all backends",
            "own",
        ];
        assert_eq!(names, expected);
        let quick = deployment(&Client::new(), &scope, Level::Quick, settings()).await;
        assert_eq!((quick.len(), worst(&quick)), (5, Health::Ok));
    });
}

#[test]
fn what_is_wrong_is_said() {
    run(async {
        let (one, dead) = (serve(Manner::Page(Some("www-9"))).await, free_port());
        let front = serve(Manner::Turn(vec!["www-1"], 0)).await;
        let hosts = [host("www-1", one, &format!("tcp:{one}")), host("www-2", dead, &format!("tcp:{dead}"))];
        let domains = ["hello.localhost".to_owned()];
        let checks = [check("/", 404, "hello"), check("/", 200, "goodbye")];
        let endpoint = format!("127.0.0.1:{front}");
        let scope = Scope {
            hosts: &hosts,
            endpoint: Some(&endpoint),
            domains: &domains,
            checks: &checks,
            tls: None,
            ways: &Ways::new(),
        };
        let found = deployment(&Client::new(), &scope, Level::Full, settings()).await;
        let text = complaints(&found).join("\n");
        for part in [
            "www-2 up: critical",
            "nothing listens there",
            "www-1 serves hello.localhost: critical (answered 200 by www-9",
            "expected www-1: another service holds its port",
            "www-2 never answered in 8 connections (www-1 8, www-2 0)",
            "answered 200 by www-1 from 127.0.0.1",
            "expected 404",
            "`goodbye` is not in the",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        assert_eq!(worst(&found), Health::Critical);
    });
}

#[test]
fn one_www_is_its_own_endpoint_and_nothing_is_silently_fine() {
    run(async {
        let client = Client::new();
        let port = serve(Manner::Page(None)).await;
        let hosts = [host("www-1", port, "none")];
        let domains = ["hello.localhost".to_owned()];
        let scope =
            Scope { hosts: &hosts, endpoint: None, domains: &domains, checks: &[], tls: None, ways: &Ways::new() };
        let alone = deployment(&client, &scope, Level::Full, settings()).await;
        assert_eq!((alone.len(), worst(&alone)), (3, Health::Ok), "{alone:?}");
        let two = [host("www-1", port, "none"), host("www-2", port, "smoke")];
        let several = deployment(&client, &Scope { hosts: &two, ..scope }, Level::Quick, settings()).await;
        assert_eq!(several.iter().map(|r| r.state).collect::<Vec<_>>(), [Health::Ok, Health::Unknown, Health::Warning]);
        let none = deployment(&client, &Scope { hosts: &[], ..scope }, Level::Full, settings()).await;
        assert_eq!((none.len(), worst(&none), worst(&[])), (1, Health::Unknown, Health::Unknown));
        // Two www of which one is where visitors come in: nothing balances, and nothing is expected to.
        let first = format!("127.0.0.1:{port}");
        let unbalanced = Scope { hosts: &two, endpoint: Some(&first), ..scope };
        let full = deployment(&client, &unbalanced, Level::Full, settings()).await;
        assert!(full.iter().all(|result| result.kind != CheckKind::Spread), "{full:?}");
        let front = format!("127.0.0.1:{}", serve(Manner::Page(None)).await);
        let nameless = Scope { hosts: &two, endpoint: Some(&front), ..scope };
        let full = deployment(&client, &nameless, Level::Full, settings()).await;
        assert!(complaints(&full).iter().any(|c| c.contains("warning (no X-Served-By")), "{full:?}");
    });
}

#[test]
fn patience_waits_for_what_is_about_to_come() {
    run(async {
        let port = serve(Manner::Turn(vec!["www-1"], 3)).await;
        let hosts = [host("www-1", port, "none")];
        let domains = ["hello.localhost".to_owned()];
        let scope =
            Scope { hosts: &hosts, endpoint: None, domains: &domains, checks: &[], tls: None, ways: &Ways::new() };
        let patient = Settings { patience: Duration::from_secs(5), ..settings() };
        let began = Instant::now();
        assert_eq!(worst(&deployment(&Client::new(), &scope, Level::Full, patient).await), Health::Ok);
        assert!(began.elapsed() < Duration::from_secs(3));
        let dead = Arc::new([host("www-1", free_port(), "none")]);
        let brief = Settings { patience: SHORT, ..settings() };
        let scope = Scope { hosts: &*dead, ..scope };
        assert_eq!(worst(&deployment(&Client::new(), &scope, Level::Quick, brief).await), Health::Critical);
    });
}

#[test]
fn a_host_that_answers_500_is_down() {
    run(async {
        let port = serve(Manner::Turn(vec!["www-1"], 1)).await;
        let client = Client::new();
        let ways = Ways::new();
        let asker = Asker::new(&client, settings(), &ways);
        let probed = host("www-1", port, &format!("http:{port}/up"));
        assert_eq!(probe_host(&asker, &probed).await.state, HostState::Down);
        assert_eq!(probe_host(&asker, &probed).await.state, HostState::Up);
        let front = otto::net::Endpoint::plain("127.0.0.1", port);
        let page = Page { status: Some(200), ..Page::home("home", &front, "a.localhost") };
        let result = check_page(&asker, &page).await;
        assert_eq!(result.target, format!("http://a.localhost:{port}/"));
    });
}
