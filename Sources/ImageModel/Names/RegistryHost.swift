import ForeignText

/// The address of a registry, `HOST[:PORT]`. Examples: `docker.io`, `localhost:5000`, `[::1]:5000`.
///
/// The grammar is `domain` in the package `reference` of distribution. So a value never has a slash, a
/// blank or a user name, and is safe as part of a path or URL. A host always has a dot, a port or a
/// capital letter, or is `localhost`, because otherwise a reference would not show that it is a host.
public struct RegistryHost: Hashable, Sendable, CustomStringConvertible {
    /// The registry that a name without a host means.
    public static let dockerHub = RegistryHost(name: "docker.io", port: nil)

    /// A name or an address, as it was written. An IPv6 address is in brackets.
    public let name: String
    public let port: Int?

    private init(name: String, port: Int?) {
        self.name = name
        self.port = port
    }

    /// Throws ``ImageProblem`` if the text is not a host with an optional port.
    ///
    /// `index.docker.io` is `docker.io`.
    public init(_ text: some StringProtocol) throws(ImageProblem) {
        guard let host = Self.parse(Array(text.utf8.prefix(300))) else {
            throw ImageProblem(
                .badReference, "\(text.quoted) is not the address of a registry, as registry.example.org and localhost:5000 are.")
        }
        self = host
    }

    /// Whether the registry is on this host: a loopback address, or `localhost`.
    public var isLoopback: Bool {
        if name == "localhost" || name.hasSuffix(".localhost") || name == "[::1]" { return true }
        let numbers = name.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return numbers.count == 4 && numbers[0] == 127 && !numbers.contains(nil)
    }

    /// For example `localhost:5000`.
    public var description: String { port.map { "\(name):\($0)" } ?? name }

    private static func parse(_ text: [UInt8]) -> RegistryHost? {
        guard text.count <= 255, !text.isEmpty else { return nil }
        var (name, port) = (text[...], Int?.none)
        let afterAddress = text.lastIndex(of: UInt8(ascii: "]")).map { $0 + 1 } ?? 0
        if let colon = text[afterAddress...].lastIndex(of: UInt8(ascii: ":")) {
            let digits = text[(colon + 1)...]
            guard digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), digits.count <= 5,
                let number = Int(String(decoding: digits, as: UTF8.self)), (1...65535).contains(number)
            else { return nil }
            (name, port) = (text[..<colon], number)
        }
        guard isAddress(name) || isName(name), isHost(text) else { return nil }
        let written = String(decoding: name, as: UTF8.self)
        return RegistryHost(name: written == "index.docker.io" ? dockerHub.name : written, port: port)
    }

    /// Whether the first component of a reference is a host, and not part of the path.
    static func isHost(_ text: some Collection<UInt8>) -> Bool {
        text.elementsEqual("localhost".utf8)
            || text.contains { ".:[".utf8.contains($0) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
    }

    /// Whether the text is an IPv6 address in brackets.
    private static func isAddress(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.count > 3, text.first == UInt8(ascii: "["), text.last == UInt8(ascii: "]") else { return false }
        return text.dropFirst().dropLast().allSatisfy { byte in
            byte == UInt8(ascii: ":") || ImageDigest.isLowercaseDigit(byte) || (UInt8(ascii: "A")...UInt8(ascii: "F")).contains(byte)
        }
    }

    /// Whether the text is `domain-name`: parts of letters, digits and inner hyphens, separated by dots.
    private static func isName(_ text: ArraySlice<UInt8>) -> Bool {
        text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { part in
            guard let first = part.first, let last = part.last, first.isLetterOrDigit, last.isLetterOrDigit else { return false }
            return part.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "-") }
        }
    }
}
