//! Who listens on a port of this machine: for the explanation that "address already in use" is not.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

/// A process that listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Its id.
    pub pid: i32,
    /// Its command line, cut.
    pub command: String,
    /// The folder it works in.
    pub folder: Option<Utf8PathBuf>,
}

impl Listener {
    /// It works in this folder or was started from it.
    pub fn belongs_to(&self, folder: &Utf8Path) -> bool {
        self.folder.as_ref().is_some_and(|own| own.starts_with(folder)) || self.command.contains(folder.as_str())
    }
}

/// Processes that listen on a TCP port at this address (or at all addresses), as far as they may be looked at. None on
/// systems without `/proc`.
pub fn listeners(address: &str, port: u16) -> Vec<Listener> {
    let inodes = sockets(address, port);
    if inodes.is_empty() {
        return Vec::new();
    }
    let wanted: Vec<String> = inodes.iter().map(|inode| format!("socket:[{inode}]")).collect();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let files = fs::read_dir(entry.path().join("fd")).into_iter().flatten().flatten();
        let holds = |link: std::path::PathBuf| link.to_str().is_some_and(|link| wanted.iter().any(|own| own == link));
        if files.filter_map(|fd| fs::read_link(fd.path()).ok()).any(holds) {
            let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let command = String::from_utf8_lossy(&command).replace('\0', " ").trim().chars().take(200).collect();
            let folder =
                fs::read_link(entry.path().join("cwd")).ok().and_then(|dir| Utf8PathBuf::from_path_buf(dir).ok());
            found.push(Listener { pid, command, folder });
        }
    }
    found
}

/// Inodes of the listening sockets.
fn sockets(address: &str, port: u16) -> Vec<String> {
    let own = address.parse::<std::net::Ipv4Addr>().ok().map(|ip| format!("{:08X}", u32::from_le_bytes(ip.octets())));
    let mut found = Vec::new();
    for (file, any) in [("/proc/net/tcp", "00000000"), ("/proc/net/tcp6", "00000000000000000000000000000000")] {
        let text = fs::read_to_string(file).unwrap_or_default();
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (Some(local), Some(state), Some(inode)) = (fields.get(1), fields.get(3), fields.get(9)) else {
                continue;
            };
            let Some((at, number)) = local.split_once(':') else { continue };
            let here = at == any || own.as_deref() == Some(at);
            // 0A: listening.
            if *state == "0A" && here && u16::from_str_radix(number, 16) == Ok(port) {
                found.push((*inode).to_owned());
            }
        }
    }
    found
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_found_at_its_port() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = socket.local_addr().expect("its address").port();
        let found = listeners("127.0.0.1", port);
        assert!(found.iter().any(|one| u32::try_from(one.pid) == Ok(std::process::id())), "{found:?}");
        drop(socket);
        assert_eq!(listeners("127.0.0.1", port), []);
    }
}
