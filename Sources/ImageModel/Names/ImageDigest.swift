import Crypto
import ForeignText

/// A *digest* names content by its checksum, for example `sha256:6c3c…` with 64 hexadecimal digits.
///
/// A value always has the form of OCI Image Specification, "Digests": a known algorithm and lowercase
/// digits of the right number. So it is safe as part of a path or URL.
public struct ImageDigest: Hashable, Comparable, Sendable, CustomStringConvertible {
    public enum Algorithm: String, Hashable, Sendable, CaseIterable {
        case sha256, sha512

        /// The number of hexadecimal digits.
        public var digits: Int { self == .sha256 ? 64 : 128 }
    }

    public let algorithm: Algorithm
    /// The lowercase hexadecimal digits.
    public let hex: String

    /// Throws ``ImageProblem`` if the text is not a digest.
    public init(_ text: some StringProtocol) throws(ImageProblem) {
        let parts = text.utf8.prefix(200).split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            throw ImageProblem(.badDigest, "\(text.quoted) is not a digest, as sha256: with 64 hexadecimal digits is one.")
        }
        guard let algorithm = Algorithm(rawValue: String(decoding: parts[0], as: UTF8.self)) else {
            throw ImageProblem(.badDigest, "The digest \(text.quoted) begins neither with sha256: nor with sha512:.")
        }
        guard parts[1].count == algorithm.digits, text.utf8.count < 200, parts[1].allSatisfy(Self.isLowercaseDigit) else {
            throw ImageProblem(
                .badDigest, "The digest \(text.quoted) does not have \(algorithm.digits) lowercase hexadecimal digits after the colon.")
        }
        self.algorithm = algorithm
        hex = String(decoding: parts[1], as: UTF8.self)
    }

    fileprivate init(_ algorithm: Algorithm, hash: some Sequence<UInt8>) {
        self.algorithm = algorithm
        let digits = Array("0123456789abcdef".utf8)
        hex = String(decoding: hash.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// Computes the digest of bytes.
    public init(of bytes: some Collection<UInt8>, _ algorithm: Algorithm = .sha256) {
        var running = RunningDigest(algorithm)
        running.update(bytes)
        self = running.digest
    }

    /// For example `sha256:6c3c…`, complete.
    public var description: String { "\(algorithm.rawValue):\(hex)" }

    /// The tag that stands for the referrers of this digest in a registry without the referrers API. OCI
    /// Distribution Specification, "Referrers Tag Schema".
    public var referrersTag: ImageTag { ImageTag(unchecked: "\(algorithm.rawValue)-\(hex.prefix(64))") }

    public static func < (a: ImageDigest, b: ImageDigest) -> Bool { a.description < b.description }

    static func isLowercaseDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
        default: false
        }
    }
}

/// A digest of bytes that arrive in pieces.
public struct RunningDigest: Sendable {
    private let algorithm: ImageDigest.Algorithm
    private var sha256 = SHA256()
    private var sha512 = SHA512()
    /// The number of bytes so far.
    public private(set) var count = 0

    public init(_ algorithm: ImageDigest.Algorithm = .sha256) { self.algorithm = algorithm }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        count += bytes.count
        switch algorithm {
        case .sha256: sha256.update(bufferPointer: bytes)
        case .sha512: sha512.update(bufferPointer: bytes)
        }
    }

    public mutating func update(_ bytes: some Collection<UInt8>) {
        let done: Void? = bytes.withContiguousStorageIfAvailable { update(UnsafeRawBufferPointer($0)) }
        if done == nil { Array(bytes).withUnsafeBytes { update($0) } }
    }

    /// The digest of all bytes so far. More bytes may follow.
    public var digest: ImageDigest {
        switch algorithm {
        case .sha256: ImageDigest(.sha256, hash: sha256.finalize())
        case .sha512: ImageDigest(.sha512, hash: sha512.finalize())
        }
    }
}

extension ImageDigest: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        do throws(ImageProblem) {
            self = try ImageDigest(text)
        } catch {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: error.description)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
