public import Repodata

/// One file of a package that was found to be there: the unsigned one, or a signed copy.
public struct PackageCopy: Hashable, Sendable {
    public let package: KojiPackage
    /// As the hub writes it; "" for the unsigned file.
    public let key: String
    /// Relative to the hub's `topdir`.
    public let path: String
    /// Bytes of the file.
    public let size: Int
    /// Where the main header starts in the file: signatures stand before it.
    public let headerStart: Int
    /// Which version of the file was seen: another text means that the file was replaced since. `nil` where the server does not tell.
    let version: String?
    /// Of the whole file, if the hub or somebody else has said so; otherwise the file is read for it, once.
    public var sha256: Checksum?

    /// Set where the file has not the size that the hub says; of signed copies it says none.
    var sizeProblem: HeaderProblem? {
        guard key.isEmpty, let expected = package.size, expected != size else { return nil }
        return .transfer(
            size < expected ? .truncated(expected: expected, found: size, wasCut: false) : .larger(expected: expected, found: size))
    }
}

/// What came of looking for signed copies.
public struct SignedChoice: Sendable {
    /// A package that has none of the wanted signatures.
    public struct Unsigned: Hashable, Sendable {
        public let package: KojiPackage
        /// Of these keys the hub knows signatures.
        public let keys: [String]
        /// Of these wanted keys the hub knows signatures, but the signed files are not there.
        public let missing: [String]
    }

    /// In the order of the packages.
    public let copies: [PackageCopy]
    public let unsigned: [Unsigned]
}

/// A key as a request names it, to compare with those that the hub has.
struct WantedKey: Hashable {
    private let digits: String

    /// 8 or 16 hexadecimal digits in any case, or nothing at all, which allows the unsigned file.
    init(_ text: String) { digits = text.lowercased() }

    var isUnsigned: Bool { digits.isEmpty }

    /// The short form is the end of the long one.
    func matches(_ key: String) -> Bool {
        let key = key.lowercased()
        guard !digits.isEmpty, !key.isEmpty else { return false }
        return key.count <= digits.count ? digits.hasSuffix(key) : key.hasSuffix(digits)
    }
}

extension KojiPackage {
    /// The keys of the copies to look for, in the order in which they are preferred; "" for the unsigned file.
    func candidates(_ wanted: [WantedKey]) -> [String] {
        var found: [String] = []
        for key in wanted {
            for candidate in key.isUnsigned ? [""] : keys.filter(key.matches) where !found.contains(candidate) { found.append(candidate) }
        }
        return found
    }
}
