//! Whether a connection comes from a process of the same user. Cookies do not distinguish ports (RFC 6265 section 8.5), so a process of
//! another user that a browser visits on 127.0.0.1 receives the cookie of the dashboard. It cannot use it from its own processes.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

/// The sockets of IPv4 of this network namespace, with the user of each (`proc_pid_net(5)`). Linux only.
const SOCKETS: &str = "/proc/net/tcp";
/// Root can read the memory of this process in any case, and relays such as that of WSL run as root.
const ROOT: u32 = 0;

/// False only if the kernel says that the peer belongs to another user. Reads a file.
pub fn is_same_user(peer: SocketAddr, server: SocketAddr) -> bool {
    let (SocketAddr::V4(peer), SocketAddr::V4(server)) = (peer, server) else {
        return true;
    };
    let Ok(sockets) = std::fs::read_to_string(SOCKETS) else {
        return true;
    };
    match (owner(&sockets, peer, server), own_user()) {
        (Some(user), Some(own)) => user == own || user == ROOT,
        _ => true,
    }
}

#[cfg(unix)]
fn own_user() -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata("/proc/self").ok()?;
    Some(metadata.uid())
}

#[cfg(not(unix))]
fn own_user() -> Option<u32> {
    None
}

/// The user of the socket with these two addresses.
fn owner(sockets: &str, local: SocketAddrV4, remote: SocketAddrV4) -> Option<u32> {
    sockets.lines().find_map(|line| {
        let mut columns = line.split_ascii_whitespace().skip(1);
        let found = (address(columns.next()?)?, address(columns.next()?)?);
        // Then: state, queues, timer, retransmissions.
        let user = columns.nth(4)?;
        (found == (local, remote)).then(|| user.parse().ok())?
    })
}

/// `0100007F:1F90`: the address as a number in the byte order of the machine, and the port.
fn address(text: &str) -> Option<SocketAddrV4> {
    let (address, port) = text.split_once(':')?;
    let address = u32::from_str_radix(address, 16).ok()?;
    let port = u16::from_str_radix(port, 16).ok()?;
    Some(SocketAddrV4::new(
        Ipv4Addr::from(address.to_ne_bytes()),
        port,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEAD: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";

    fn line(local: SocketAddrV4, remote: SocketAddrV4, user: u32) -> String {
        let hex = |address: SocketAddrV4| {
            let number = u32::from_ne_bytes(address.ip().octets());
            format!("{number:08X}:{:04X}", address.port())
        };
        let (local, remote) = (hex(local), hex(remote));
        format!(
            "   7: {local} {remote} 01 00000000:00000000 00:00000000 00000000  {user}        0 4242 1"
        )
    }

    fn loopback(port: u16) -> SocketAddrV4 {
        SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)
    }

    #[test]
    fn o09_the_owner_is_that_of_the_end_of_the_browser() {
        let (browser, server) = (loopback(40_000), loopback(8090));
        let ours = line(server, browser, 1000);
        let theirs = line(browser, server, 1001);
        let other = line(loopback(40_001), server, 1002);
        let sockets = [HEAD, &ours, &other, &theirs].join("\n");
        assert_eq!(owner(&sockets, browser, server), Some(1001));
        assert_eq!(owner(&sockets, loopback(40_002), server), None);
        assert_eq!(owner("", browser, server), None);
    }

    #[test]
    fn o09_a_connection_of_our_own_is_accepted() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        let browser = std::net::TcpStream::connect(server).unwrap();
        let (_accepted, peer) = listener.accept().unwrap();
        assert_eq!(peer, browser.local_addr().unwrap());
        assert!(is_same_user(peer, server));
        #[cfg(target_os = "linux")]
        {
            let (SocketAddr::V4(peer), SocketAddr::V4(server)) = (peer, server) else {
                panic!("not IPv4");
            };
            let sockets = std::fs::read_to_string(SOCKETS).unwrap();
            assert_eq!(owner(&sockets, peer, server), own_user());
        }
    }

    proptest! {
        #[test]
        fn o09_any_text_is_read(text in "\\PC*", port: u16) {
            let _ = owner(&text, loopback(port), loopback(8090));
        }

        #[test]
        fn o09_what_is_written_is_read(ip: u32, port: u16, user: u32) {
            let peer = SocketAddrV4::new(Ipv4Addr::from(ip), port);
            prop_assert_eq!(owner(&line(peer, loopback(8090), user), peer, loopback(8090)), Some(user));
        }
    }
}
