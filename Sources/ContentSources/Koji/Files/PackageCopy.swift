public import Compression

/// A *package copy* is an existing file of a package: the unsigned file, or a signed copy.
public struct PackageCopy: Hashable, Sendable {
    public let package: KojiPackage
    /// The key of the copy in the hub's spelling. "" for the unsigned file.
    public let key: String
    /// The path relative to the hub's `topdir`.
    public let path: String
    /// The size of the file in bytes.
    public let size: Int
    /// The offset of the main header in the file. Signatures precede it.
    public let headerStart: Int
    /// The version of the file that was seen. Another text means that the file was replaced. `nil` if the
    /// server does not report a version.
    let version: String?
    /// The checksum of the whole file, if the hub or an earlier reading of the file has given it. Otherwise
    /// the file is read for it once.
    public var sha256: Checksum?

    /// The problem of a file that does not have the size that the hub reports. The hub does not report
    /// sizes of signed copies.
    var sizeProblem: HeaderProblem? {
        guard key.isEmpty, let expected = package.size, expected != size else { return nil }
        return .transfer(
            size < expected ? .truncated(expected: expected, found: size, wasCut: false) : .larger(expected: expected, found: size))
    }
}

/// The result of a search for signed copies.
public struct SignedChoice: Sendable {
    /// A package that has none of the wanted signatures.
    public struct Unsigned: Hashable, Sendable {
        public let package: KojiPackage
        /// The keys of the signatures that the hub knows.
        public let keys: [String]
        /// The wanted keys of which the hub knows signatures, but the signed files do not exist.
        public let missing: [String]
    }

    /// The copies, in the order of the packages.
    public let copies: [PackageCopy]
    public let unsigned: [Unsigned]
}

/// A key as a request names it. It can be compared with the keys that the hub reports.
struct WantedKey: Hashable {
    private let digits: String

    /// - Parameter text: 8 or 16 hexadecimal digits in upper or lower case. An empty text allows the
    ///   unsigned file.
    init(_ text: String) { digits = text.lowercased() }

    var isUnsigned: Bool { digits.isEmpty }

    /// Returns whether the request's key means a key of the hub. The short form of a key is the end of its
    /// long form.
    func matches(_ key: String) -> Bool {
        let key = key.lowercased()
        guard !digits.isEmpty, !key.isEmpty else { return false }
        return key.count <= digits.count ? digits.hasSuffix(key) : key.hasSuffix(digits)
    }
}

extension KojiPackage {
    /// Returns the keys of the copies to look for, in order of preference. "" stands for the unsigned file.
    func candidates(_ wanted: [WantedKey]) -> [String] {
        var found: [String] = []
        for key in wanted {
            for candidate in key.isUnsigned ? [""] : keys.filter(key.matches) where !found.contains(candidate) { found.append(candidate) }
        }
        return found
    }
}
