//! URLs in every disguise.

/// Ways to a machine's own network that are refused from the URL alone.
#[rustfmt::skip]
pub const REFUSED: &[&str] = &[
    // Loopback, as itself.
    "http://127.0.0.1/", "http://127.0.0.1:80/", "https://127.0.0.1/", "http://127.1/", "http://127.0.1/",
    "http://127.255.255.254/", "http://127.127.127.127/",
    // The numbers in other bases, joined, padded, with a closing dot.
    "http://2130706433/", "http://0x7f000001/", "http://0x7f.1/", "http://0x7f.0.0.1/", "http://0x7F.0x0.0x0.0x1/",
    "http://017700000001/", "http://0177.0.0.1/", "http://0177.0000.0000.0001/", "http://127.0.0.1./",
    "http://0x7f.1./", "http://00000177.1/", "http://127.0x0.0.01/", "http://0x000000007f000001/",
    // Escaped, fullwidth, circled, other dots, upper case, white space and controls around and inside.
    "http://%31%32%37.0.0.1/", "http://127%2e0%2e0%2e1/", "http://１２７.０.０.１/", "http://①②⑦.⓪.⓪.①/",
    "http://127。0。0。1/", "http://127．0．0．1/", "http://127｡0｡0｡1/", "HTTP://127.0.0.1/", "hTTp://0X7F.1/",
    " http://127.0.0.1/", "http://127.0.0.1/ ", "ht\ntp://127.0.0.1/", "http://127.0\t.0.1/",
    "\u{1}http://127.0.0.1/",
    // Names before the host, and slashes that are none.
    "http://example.com@127.0.0.1/", "http://example.com:80@127.0.0.1/", "http://example.com%40@127.0.0.1/",
    "http://a:b@127.0.0.1:8080/", "http:\\\\127.0.0.1\\", "http:/127.0.0.1/", "http:127.0.0.1/",
    "http:////127.0.0.1/", "http://127.0.0.1\\@example.com/", "http://127.0.0.1#@example.com/",
    "http://127.0.0.1?@example.com/",
    // This network; all interfaces.
    "http://0.0.0.0/", "http://0/", "http://0x0/", "http://00/", "http://0.0.0.1/", "http://0.255.255.255/",
    // Metadata services.
    "http://169.254.169.254/latest/meta-data/", "http://169.254.170.2/v2/credentials", "http://2852039166/",
    "http://0xa9fea9fe/", "http://0xa9.0xfe.0xa9.0xfe/", "http://0251.0376.0251.0376/", "http://169.254.43518/",
    "http://100.100.100.200/latest/meta-data/", "http://192.0.0.192/opc/v1/", "http://168.63.129.16/machine",
    "http://[fd00:ec2::254]/latest/meta-data/", "http://[::ffff:169.254.169.254]/", "http://[fe80::a9fe:a9fe]/",
    // Private networks.
    "http://10.0.0.1/", "http://10.255.255.255/", "http://0xa.1/", "http://012.1/", "http://167772161/",
    "http://172.16.0.1/", "http://172.31.255.255/", "http://192.168.0.1/", "http://192.168.1.1:8443/",
    "http://0xc0a80101/", "http://3232235777/", "http://100.64.0.1/", "http://100.127.255.255/",
    // Link-local, protocol assignments, documentation, benchmarks, relays, multicast, reserved, broadcast.
    "http://169.254.0.1/", "http://192.0.0.1/", "http://192.0.0.8/", "http://192.0.2.1/", "http://198.51.100.7/",
    "http://203.0.113.9/", "http://198.18.0.1/", "http://198.19.255.255/", "http://192.88.99.1/",
    "http://224.0.0.1/", "http://239.255.255.250:1900/", "http://240.0.0.1/", "http://255.255.255.255/",
    "http://0xffffffff/",
    // IPv6: loopback and unspecified in every spelling.
    "http://[::1]/", "http://[::1]:22/", "http://[0:0:0:0:0:0:0:1]/", "http://[0000::0001]/", "http://[::]/",
    "http://[::0.0.0.1]/", "http://a@[::1]/",
    // IPv4 inside IPv6: mapped, compatible, translated, 6to4, NAT64, Teredo, ISATAP.
    "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[0:0:0:0:0:ffff:10.0.0.1]/",
    "http://[::FFFF:C0A8:0101]/", "http://[::127.0.0.1]/", "http://[::7f00:1]/", "http://[::8.8.8.8]/",
    "http://[::ffff:0:127.0.0.1]/", "http://[2002:7f00:1::]/", "http://[2002:a00:1::1]/",
    "http://[2002:c0a8:101::]/", "http://[2002:a9fe:a9fe::]/", "http://[64:ff9b::127.0.0.1]/",
    "http://[64:ff9b::a9fe:a9fe]/", "http://[64:ff9b::10.0.0.1]/", "http://[64:ff9b:1::8.8.8.8]/",
    "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/", "http://[2001::1]/", "http://[2600:1f18::5efe:10.0.0.1]/",
    "http://[2600:1f18::200:5efe:127.0.0.1]/",
    // Local, documentation, benchmarks, discard, ORCHID, multicast, segment routing, unassigned.
    "http://[fe80::1]/", "http://[febf::1]/", "http://[fec0::1]/", "http://[fc00::1]/", "http://[fdff:ffff::1]/",
    "http://[ff02::1]/", "http://[ff0e::1]/", "http://[2001:db8::1]/", "http://[3fff::1]/", "http://[3fff:fff::1]/",
    "http://[2001:2::1]/", "http://[2001:10::1]/", "http://[2001:20::1]/", "http://[100::1]/", "http://[5f00::1]/",
    "http://[4000::1]/", "http://[1000::1]/", "http://[0:1::1]/",
];

/// No URL for HTTP at all.
#[rustfmt::skip]
pub const NOT_A_URL: &[&str] = &[
    "", " ", "example.com", "//example.com/", "/etc/passwd", "http://", "https://:80/", "http://[::1",
    "http://[fe80::1%25eth0]/", "file:///etc/passwd", "ftp://example.com/", "gopher://example.com:70/_x",
    "dict://example.com:11211/stat", "ldap://example.com/", "unix:///run/docker.sock", "data:text/plain,x",
    "javascript:alert(1)", "ws://example.com/", "http+unix://%2Frun%2Fdocker.sock/", "http://256.256.256.256/",
    "http://1.2.3.4.5/", "http://127.0.0.0x1g.1/", "http://99999999999/", "http://0x100000000/",
    "http://exa mple.com/", "http://example.com:99999/", "http://example.com:0/", "http://a^b/",
    "http://exam%00ple.com/",
];

/// Addresses of the internet, and names, whose turn comes at the connection.
#[rustfmt::skip]
pub const ACCEPTED: &[&str] = &[
    "https://example.com/hook", "http://example.com", "https://example.com:8443/a?b=c#d", "HTTPS://EXAMPLE.COM/",
    "https://user:pass@example.com/hook", "https://bücher.example/", "https://xn--bcher-kva.example/",
    "https://example.com./", "http://8.8.8.8/", "http://1.1.1.1:53/", "http://134744072/", "http://9.255.255.255/",
    "http://11.0.0.0/", "http://100.63.255.255/", "http://100.128.0.0/", "http://126.255.255.255/",
    "http://128.0.0.1/", "http://169.253.255.255/", "http://169.255.0.0/", "http://172.15.255.255/",
    "http://172.32.0.0/", "http://192.0.1.1/", "http://192.0.3.1/", "http://192.167.255.255/",
    "http://192.169.0.0/", "http://198.17.255.255/", "http://198.20.0.0/", "http://203.0.112.255/",
    "http://223.255.255.255/", "http://168.63.129.17/", "http://[2606:4700:4700::1111]/",
    "http://[2a00:1450:4001:81b::200e]:443/", "http://[2001:4860:4860::8888]/", "http://[2001:200::1]/",
    "http://[::ffff:8.8.8.8]/", "http://[64:ff9b::8.8.8.8]/", "http://[2002:808:808::1]/",
    "http://[2600:1f18::5efe:8.8.8.8]/", "http://[3ffe::1]/", "http://[3fff:1000::1]/", "http://localhost/", "http://example.com\\@127.0.0.1/../",
    "http://localhost.example.com/", "http://127.0.0.1.example.com/", "http://0x7f000001.example.com/",
];
