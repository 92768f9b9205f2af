public import Compression
public import ForeignText
public import Repodata

/// A *Koji package* is a package file that Koji's hub knows, with its name, its place and the places of
/// its signed copies.
///
/// Paths are relative to the hub's `topdir`. They are the same below its `topurl`.
public struct KojiPackage: Hashable, Sendable {
    /// The places in which Koji puts files.
    public enum Place: Hashable, Sendable {
        /// The directory of a build. It may also hold signed copies.
        case build(directory: KojiPath)
        /// The file of a task, for example of a scratch build. It has no signed copies.
        case task(file: KojiPath)

        /// Returns the directory of a build in Koji's layout, for example `packages/ed/1.20/3.fc41`.
        /// - Parameter volume: The volume of the build. `nil` or `DEFAULT` stands for the default one.
        /// - Throws: The problem of a name that no directory can have.
        public static func build(
            name: String, version: String, release: String, volume: String? = nil
        ) throws(PathComponent.Problem) -> Place {
            let top = if let volume, volume != "DEFAULT" { ["vol", volume, "packages"] } else { ["packages"] }
            return .build(directory: try KojiPath(top + [name, version, release]))
        }
    }

    /// The tag that has a build.
    public struct Tag: Hashable, Sendable {
        /// The hub's number of the tag.
        public let id: Int
        /// The name of the tag at the event of the listing.
        public let name: String

        public init(id: Int, name: String) {
            self.id = id
            self.name = name
        }
    }

    /// The hub's number of the package. `nil` for the file of a task.
    public let id: Int?
    /// The package's name with Koji's architecture, which is also in the file's name. It is `nosrc` for
    /// some source packages.
    public let nevra: NEVRA
    /// The name of the build for messages: name, version and release, or for example "task 123".
    public let build: String
    /// The tag that has the build, which may be a parent of the tag that was listed. `nil` if the build was
    /// named, and for the file of a task.
    public let tag: Tag?
    public let place: Place
    /// The MD5 of header and payload in hexadecimal, which signing does not change. `nil` for the file of a
    /// task, because the hub does not know it.
    public let payloadHash: String?
    /// The size of the unsigned file in bytes, if the hub reports it.
    public let size: Int?
    /// The keys of the signatures that the hub knows, in its spelling. The signed file of a key need not
    /// exist.
    public private(set) var keys: [String]
    /// The path below the directory of a build: `ARCH/NAME-VERSION-RELEASE.ARCH.rpm`.
    private let file: KojiPath

    /// - Parameter keys: The keys of the package's signatures. A text that is not a hexadecimal number is
    ///   left out.
    /// - Throws: The problem of the package's names, if no file can have them.
    public init(
        id: Int? = nil, nevra: NEVRA, build: String, tag: Tag? = nil, place: Place, payloadHash: String?, size: Int? = nil,
        keys: [String] = []
    ) throws(PathComponent.Problem) {
        file = try KojiPath(nevra.arch, nevra.filename)
        self.id = id
        self.nevra = nevra
        self.build = build
        self.tag = tag
        self.place = place
        let isLower = payloadHash?.utf8.allSatisfy { $0 < UInt8(ascii: "A") || $0 > UInt8(ascii: "Z") } ?? true
        self.payloadHash = isLower ? payloadHash : payloadHash?.lowercased()
        self.size = size
        self.keys = keys.filter(Self.isKey)
    }

    private static func isKey(_ text: String) -> Bool { text.utf8.count <= 64 && text.utf8.allSatisfy(\.isHexDigit) }

    /// Returns the same package with these keys of its signatures.
    func signed(by keys: [String]) -> KojiPackage {
        var package = self
        package.keys = keys.filter(Self.isKey)
        return package
    }

    /// The path of the unsigned file.
    public var path: String {
        switch place {
        case .build(let directory): directory.text + "/" + file.text
        case .task(let file): file.text
        }
    }

    /// Returns the path of the copy signed by `key`, or of the unsigned file if `key` is "". Returns `nil`
    /// for the file of a task, which has no signed copies.
    public func path(signedBy key: String) -> String? {
        if key.isEmpty { return path }
        guard case .build(let directory) = place else { return nil }
        return "\(directory)/data/signed/\(key.lowercased())/\(file)"
    }

    /// The `pkgid` of the package in the metadata for solving. The checksum of its file is not known at
    /// that time.
    public var provisionalID: Checksum { .ofText("koji-package\n\(payloadHash ?? "")\n\(nevra)\n\(path)") }

    /// Returns the packages that `records` of their metadata for solving describe, in the order of
    /// `records`.
    public static func chosen(by records: some Sequence<PackageRecord>, among packages: [KojiPackage]) -> [KojiPackage] {
        let wanted = records.map { (nevra: NEVRAKey($0.nevra), pkgid: $0.pkgid) }
        let names = Set(wanted.map(\.nevra))
        // Each provisional id costs a digest, so only packages that may be meant are looked at.
        let found = Dictionary(
            packages.filter { names.contains(NEVRAKey($0.nevra)) }.map { ($0.provisionalID, $0) }, uniquingKeysWith: { first, _ in first })
        return wanted.compactMap { found[$0.pkgid] }
    }
}

/// The part of a package's name that is the same in Koji and in the package's metadata. A task may not
/// know the epoch, and a header has no `nosrc`.
struct NEVRAKey: Hashable {
    let name: String
    let version: String
    let release: String
    let arch: String

    init(_ nevra: NEVRA) {
        name = nevra.name
        version = nevra.version
        release = nevra.release
        arch = nevra.isSource ? "src" : nevra.arch
    }
}

extension Checksum {
    /// Returns the SHA-256 of a text that identifies something.
    static func ofText(_ text: String) -> Checksum { ofBytes(Array(text.utf8)) }

    /// Returns the SHA-256 of bytes that identify something.
    static func ofBytes(_ bytes: [UInt8]) -> Checksum { FileChecksum.of(bytes, .sha256) }
}

extension UInt8 {
    fileprivate var isHexDigit: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"): true
        default: false
        }
    }
}
