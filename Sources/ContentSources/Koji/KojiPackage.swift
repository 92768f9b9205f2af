public import ForeignText
public import Repodata

/// A package file that Koji's hub knows: what names it, and where it and its signed copies lie.
///
/// Paths are relative to the hub's `topdir`, which is also what lies below its `topurl`.
public struct KojiPackage: Hashable, Sendable {
    /// Where Koji puts files.
    public enum Place: Hashable, Sendable {
        /// In the directory of a build; there may be signed copies as well.
        case build(directory: KojiPath)
        /// The file of a task, such as a scratch build's; there are no signed copies.
        case task(file: KojiPath)

        /// The directory of a build, as Koji lays it out.
        /// - Parameter volume: `nil` or `DEFAULT` for the default one.
        /// - Throws: What is wrong with a name that no directory can have.
        public static func build(
            name: String, version: String, release: String, volume: String? = nil
        ) throws(PathComponent.Problem) -> Place {
            let top = if let volume, volume != "DEFAULT" { ["vol", volume, "packages"] } else { ["packages"] }
            return .build(directory: try KojiPath(top + [name, version, release]))
        }
    }

    /// The hub's number for it; `nil` for the file of a task.
    public let id: Int?
    /// With Koji's architecture, which is in the file's name: `nosrc` for some source packages.
    public let nevra: NEVRA
    /// Name, version and release of the build, or what else messages shall name it by.
    public let build: String
    public let place: Place
    /// The MD5 of header and payload in hexadecimal, which signing does not change; `nil` for the file of a task, of which the hub does not know it.
    public let payloadHash: String?
    /// Bytes of the unsigned file, where the hub says so.
    public let size: Int?
    /// The keys of the signatures that the hub knows, as it writes them. A signed file need not be there for each.
    public let keys: [String]
    /// `ARCH/NAME-VERSION-RELEASE.ARCH.rpm`, below the directory of a build.
    private let file: KojiPath

    /// - Parameter keys: What is no hexadecimal number is no key, and left out.
    /// - Throws: What is wrong with the package's names, if no file can have them.
    public init(
        id: Int? = nil, nevra: NEVRA, build: String, place: Place, payloadHash: String?, size: Int? = nil, keys: [String] = []
    ) throws(PathComponent.Problem) {
        file = try KojiPath([nevra.arch, nevra.filename.text])
        self.id = id
        self.nevra = nevra
        self.build = build
        self.place = place
        let isLower = payloadHash?.utf8.allSatisfy { $0 < UInt8(ascii: "A") || $0 > UInt8(ascii: "Z") } ?? true
        self.payloadHash = isLower ? payloadHash : payloadHash?.lowercased()
        self.size = size
        self.keys = keys.filter { $0.utf8.count <= 64 && $0.utf8.allSatisfy(\.isHexDigit) }
    }

    /// The unsigned file.
    public var path: String {
        switch place {
        case .build(let directory): "\(directory)/\(file)"
        case .task(let file): file.text
        }
    }

    /// The copy signed by `key`; "" means the unsigned file. `nil` for the file of a task, which has no signed copies.
    public func path(signedBy key: String) -> String? {
        if key.isEmpty { return path }
        guard case .build(let directory) = place else { return nil }
        return "\(directory)/data/signed/\(key.lowercased())/\(file)"
    }

    /// The `pkgid` that it has in the metadata for solving, since nobody knows the checksum of its file yet.
    public var provisionalID: Checksum { .ofText("koji-package\n\(payloadHash ?? "")\n\(nevra)\n\(path)") }

    /// The packages of `packages` that `records` of their metadata for solving are about, in the order of `records`.
    public static func chosen(by records: some Sequence<PackageRecord>, among packages: [KojiPackage]) -> [KojiPackage] {
        let wanted = records.map { (nevra: NEVRAKey($0.nevra), pkgid: $0.pkgid) }
        let names = Set(wanted.map(\.nevra))
        // Only for those that may be meant, since each takes a digest.
        let found = Dictionary(
            packages.filter { names.contains(NEVRAKey($0.nevra)) }.map { ($0.provisionalID, $0) }, uniquingKeysWith: { first, _ in first })
        return wanted.compactMap { found[$0.pkgid] }
    }
}

/// A package's name as both Koji and its metadata have it: an epoch may be unknown to a task, and a header has no `nosrc`.
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
    /// SHA-256 of a text that identifies something.
    static func ofText(_ text: String) -> Checksum { ofBytes(Array(text.utf8)) }

    /// SHA-256 of bytes that identify something.
    static func ofBytes(_ bytes: [UInt8]) -> Checksum {
        do {
            return try FileChecksum.of(bytes, .sha256)
        } catch {
            // Everything that this service keeps is named by it; no input can bring this about.
            preconditionFailure("SHA-256 is not available: \(error)")
        }
    }
}

extension UInt8 {
    fileprivate var isHexDigit: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"): true
        default: false
        }
    }
}
