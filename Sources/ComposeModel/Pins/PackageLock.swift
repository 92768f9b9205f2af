import Foundation

/// A package lock is the packages of a lock file: those that a compose must have if it is made again.
///
/// Example: for the line `sha256:1f… ed-1.20-3.x86_64`, the compose must have that package, with a
/// file of that checksum.
public struct PackageLock: Hashable, Sendable {
    /// A package, identified by its file.
    public struct Package: Hashable, Sendable {
        /// The checksum of the package's file, with its algorithm. Example: `sha256:1f…`.
        public var checksum: String
        /// The name, epoch, version, release and architecture. It has no space.
        public var nevra: String

        public init(checksum: String, nevra: String) {
            self.checksum = checksum
            self.nevra = nevra
        }

        fileprivate var line: String { "\(checksum) \(nevra)" }
    }

    /// The packages in the order of their lines. A package of two trees is listed twice.
    public let packages: [Package]

    public init(_ packages: [Package]) {
        self.packages = packages.map { ($0, Array($0.line.utf8)) }.sorted { $0.1.lexicographicallyPrecedes($1.1) }.map(\.0)
    }

    /// Reads the form of ``text``. Lines of another form are left out.
    public init(text: String) {
        self.init(
            text.split(separator: "\n").compactMap { line in
                let words = line.split(separator: " ")
                return words.count == 2 ? Package(checksum: String(words[0]), nevra: String(words[1])) : nil
            })
    }

    /// A line for each package.
    public var text: String { packages.map { $0.line + "\n" }.joined() }

    /// The SHA-256 of ``text``, in hexadecimal. Equal packages have equal digests.
    public var digest: String { CanonicalJSON.digest(Data(text.utf8)) }

    /// A point in which a list of packages differs from a lock.
    public enum Difference: Hashable, Sendable {
        /// The list lacks the package.
        case gone(Package)
        /// The list has the package with another file.
        case altered(Package, checksum: String)
        /// The list has a package that the lock lacks.
        case added(Package)
    }

    /// Returns the differences of `other` from this lock, in the order of the packages' names. A package
    /// that is in several trees counts once.
    public func differences(in other: PackageLock) -> [Difference] {
        let (wanted, found) = (Set(packages), Set(other.packages))
        let others = Dictionary(grouping: found.subtracting(wanted)) { $0.nevra }
        var explained: Set<Package> = []
        var differences: [(name: String, difference: Difference)] = wanted.subtracting(found).map { package in
            guard let altered = others[package.nevra]?.min(by: { $0.checksum < $1.checksum }) else {
                return (package.nevra, .gone(package))
            }
            explained.insert(altered)
            return (package.nevra, .altered(package, checksum: altered.checksum))
        }
        differences += found.subtracting(wanted).subtracting(explained).map { ($0.nevra, .added($0)) }
        return differences.sorted { $0.name < $1.name }.map(\.difference)
    }
}
