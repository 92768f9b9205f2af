import Glibc

/// The hosts that are reached without a proxy: this host, and the hosts that `no_proxy` lists.
///
/// The list has names and addresses, separated by commas or blanks. Example:
/// `example.org,.corp.example,10.0.0.0/8`. A name stands for the host and all hosts below it. `*`
/// stands for all hosts. A network whose length is not a number of bits, such as `10.0.0.0/-1`, is
/// ignored.
struct DirectHosts: Hashable, Sendable {
    private let entries: [Entry]

    private enum Entry: Hashable, Sendable {
        case all
        case name(String, port: Int?)
        case network([UInt8], bits: Int)
    }

    init(_ list: String) {
        entries = list.lowercased().split { $0 == "," || $0.isWhitespace }.compactMap { Self.entry(String($0)) }
    }

    func contains(host: String, port: Int) -> Bool {
        let name = Self.bare(host.lowercased())
        let address = Self.bytes(ofAddress: name)
        // A proxy runs on another host, so it cannot reach a server that listens on this host's loopback
        // address only.
        if name == "localhost" || name.hasSuffix(".localhost") || address.map(Self.isLoopback) ?? false { return true }
        return entries.contains { entry in
            switch entry {
            case .all: true
            case .name(let suffix, let only): (only ?? port) == port && (name == suffix || name.hasSuffix(".\(suffix)"))
            case .network(let network, let bits): address.map { Self.isEqual($0, network, bits: bits) } ?? false
            }
        }
    }

    private static func entry(_ text: String) -> Entry? {
        if text == "*" { return .all }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        if let network = parts.first.flatMap({ bytes(ofAddress: bare($0)) }) {
            let all = network.count * 8
            guard parts.count == 2 else { return .network(network, bits: all) }
            guard let bits = Int(parts[1]), bits >= 0 else { return nil }
            return .network(network, bits: min(bits, all))
        }
        var (name, port) = (text[...], Int?.none)
        if let colon = text.lastIndex(of: ":"), let number = Int(text[text.index(after: colon)...]) {
            (name, port) = (text[..<colon], number)
        }
        return .name(bare(String(name.drop { $0 == "." })), port: port)
    }

    /// Returns the host without the brackets of an IPv6 address, or without the final dot of a complete
    /// name.
    private static func bare(_ host: String) -> String {
        if host.hasPrefix("["), host.hasSuffix("]") { return String(host.dropFirst().dropLast()) }
        return host.hasSuffix(".") ? String(host.dropLast()) : host
    }

    /// Returns the 4 or 16 bytes of an IP address, or `nil` for a name.
    private static func bytes(ofAddress text: String) -> [UInt8]? {
        for (family, count) in [(AF_INET, 4), (AF_INET6, 16)] {
            var bytes = [UInt8](repeating: 0, count: count)
            if inet_pton(family, text, &bytes) == 1 { return bytes }
        }
        return nil
    }

    private static func isLoopback(_ address: [UInt8]) -> Bool {
        address.count == 4 ? address[0] == 127 : address.dropLast().allSatisfy { $0 == 0 } && address.last == 1
    }

    private static func isEqual(_ address: [UInt8], _ network: [UInt8], bits: Int) -> Bool {
        guard address.count == network.count else { return false }
        return address.indices.allSatisfy { index in
            let compared = min(max(bits - 8 * index, 0), 8)
            return (address[index] ^ network[index]) >> (8 - compared) == 0 || compared == 0
        }
    }
}
