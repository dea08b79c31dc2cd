// SPDX-License-Identifier: Apache-2.0
//! Ports that no two tests on a machine use at the same time.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};

/// Below the ports from which systems choose those of outgoing connections, so that none of these
/// is taken between its claim and the start of the node.
const FIRST: u16 = 20_000;
const LAST: u16 = 29_999;

/// A port of this machine.
///
/// It is claimed by a UDP socket with the same number. The kernel gives that number to one process
/// of the machine at a time, and takes it back however the process ends. The nodes of nearly all tests
/// listen on TCP alone.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _claim: Option<UdpSocket>,
}

impl Port {
    /// Claims a port on which nothing listens.
    pub fn claim() -> Self {
        (FIRST..=LAST)
            .find_map(|number| {
                let claim = UdpSocket::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
                TcpListener::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
                Some(Self { number, _claim: Some(claim) })
            })
            .expect("the loopback interface has a free port")
    }

    /// Finds two ports on which nodes can listen on TCP and UDP, as they do unless they are told where.
    /// Nothing holds them. They are the highest that are free, and other tests claim the lowest, so only
    /// other nodes of this kind could take them.
    pub fn two_for_nodes() -> [Self; 2] {
        let free = |number: &u16| {
            let any = (Ipv4Addr::UNSPECIFIED, *number);
            UdpSocket::bind(any).is_ok() && TcpListener::bind(any).is_ok()
        };
        let mut numbers = (FIRST..=LAST).rev().filter(free);
        [(); 2].map(|()| Self::taken(numbers.next().expect("this machine has a free port")))
    }

    /// Names a port that is somebody else's.
    pub fn taken(number: u16) -> Self {
        Self { number, _claim: None }
    }

    /// Returns its number.
    pub fn number(&self) -> u16 {
        self.number
    }
}

#[test]
fn claimed_port_is_given_to_nobody_else() {
    let (first, second) = (Port::claim(), Port::claim());
    assert_ne!(first.number(), second.number());
    assert!(UdpSocket::bind((Ipv4Addr::LOCALHOST, first.number())).is_err());
    assert!(TcpListener::bind((Ipv4Addr::LOCALHOST, first.number())).is_ok());
}
