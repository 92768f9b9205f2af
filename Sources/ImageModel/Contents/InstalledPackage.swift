/// An *installed package* is a package in an image, as the image's rpmdb has it. A package that a
/// compose offers has the same members.
public struct InstalledPackage: Hashable, Sendable, Codable, CustomStringConvertible {
    public var name: String
    public var evr: EVR
    public var arch: String
    /// The source RPM. Example: `openssl-3.0.7-28.el9.src.rpm`. Nil if the header names none.
    public var source: String?
    /// The module and stream that the package belongs to. Example: `nodejs:18`. Nil if it is not modular.
    public var module: String?

    /// - Parameter modularityLabel: The header's label, `NAME:STREAM:VERSION:CONTEXT`, or the beginning of
    ///   one. Versions of one stream replace each other, so only the first two parts are kept.
    public init(name: String, evr: EVR, arch: String, source: String? = nil, modularityLabel: String? = nil) {
        self.name = name
        self.evr = evr
        self.arch = arch
        self.source = source
        module = modularityLabel.flatMap { $0.isEmpty ? nil : $0.split(separator: ":").prefix(2).joined(separator: ":") }
    }

    /// For example `openssl-libs-1:3.0.7-28.el9.x86_64`.
    public var description: String { "\(name)-\(evr).\(arch)" }

    /// Packages with equal lines are builds of the same package: the newer one replaces the older one. A
    /// modular package never replaces one of another stream, or one that is not modular.
    public var line: PackageLine { PackageLine(name: name, arch: arch, module: module) }
}

extension InstalledPackage {
    /// Reads `NAME-[EPOCH:]VERSION-RELEASE.ARCH`. Returns `nil` for any other text.
    public init?(nevra: String, module: String?) {
        guard let dot = nevra.lastIndex(of: "."), let second = nevra[..<dot].lastIndex(of: "-"),
            let first = nevra[..<second].lastIndex(of: "-")
        else { return nil }
        let version = nevra[nevra.index(after: first)..<second]
        let colon = version.firstIndex(of: ":")
        guard let epoch = colon.map({ Int(version[..<$0]) }) ?? 0 else { return nil }
        self.init(
            name: String(nevra[..<first]),
            evr: EVR(
                epoch: epoch, version: String(colon.map { version[version.index(after: $0)...] } ?? version),
                release: String(nevra[nevra.index(after: second)..<dot])),
            arch: String(nevra[nevra.index(after: dot)...]), modularityLabel: module)
    }
}

/// A *package line* is all builds of one package for one architecture, in one module stream or in none.
public struct PackageLine: Hashable, Comparable, Sendable {
    public let name: String
    public let arch: String
    public let module: String?

    public init(name: String, arch: String, module: String?) {
        self.name = name
        self.arch = arch
        self.module = module
    }

    public static func < (a: PackageLine, b: PackageLine) -> Bool {
        (a.name, a.arch, a.module ?? "") < (b.name, b.arch, b.module ?? "")
    }
}
