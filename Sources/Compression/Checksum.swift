/// A checksum is the digest of a file's bytes, together with the algorithm that made it.
///
/// Its text form is `algorithm:hex`. Example: `sha256:9f86d081…`.
public struct Checksum: Hashable, Sendable {
    /// The algorithms that rpm-md names. The raw value is the name that rpm-md gives them.
    public enum Algorithm: String, Hashable, Sendable, Codable, CaseIterable {
        case md5, sha1, sha224, sha256, sha384, sha512

        /// Creates the algorithm that rpm-md calls `name`, in either case. rpm-md also writes `sha` for SHA-1.
        /// Returns `nil` for an unknown name.
        public init?(rpmMD name: String) {
            self.init(rawValue: name == "sha" ? "sha1" : name.lowercased())
        }
    }

    public let algorithm: Algorithm

    /// The digest in lower-case hexadecimal.
    public let hex: String

    public init(_ algorithm: Algorithm, hex: String) {
        self.algorithm = algorithm
        self.hex = hex.lowercased()
    }
}

extension Checksum: LosslessStringConvertible {
    public var description: String { algorithm.rawValue + ":" + hex }

    public init?(_ description: String) {
        let parts = description.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let algorithm = Algorithm(rpmMD: String(parts[0])),
            parts[1].allSatisfy(\.isHexDigit), !parts[1].isEmpty
        else { return nil }
        self.init(algorithm, hex: String(parts[1]))
    }
}

extension Checksum: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let checksum = Checksum(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(text) is not written algorithm:hex")
        }
        self = checksum
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
