import CRPM
public import ForeignText

/// The identity of an RPM: name, epoch, version, release and architecture.
///
/// `src` and `nosrc` are architectures here, as in rpm-md. Example: `ed-1.20-3.x86_64`.
public struct NEVRA: Hashable, Sendable, Codable {
    public let name: String
    /// 0 if the package does not set an epoch. RPM treats a missing epoch as equal to 0.
    public let epoch: Int
    public let version: String
    public let release: String
    public let arch: String

    public init(name: String, epoch: Int = 0, version: String, release: String, arch: String) {
        self.name = name
        self.epoch = epoch
        self.version = version
        self.release = release
        self.arch = arch
    }

    /// `name-version-release`, as Koji names builds.
    public var nvr: String { "\(name)-\(version)-\(release)" }

    /// The conventional name of the package's file. Example: `ed-1.20-3.x86_64.rpm`.
    ///
    /// Throws if no file can have that name, for example because the package's name contains a slash.
    public var filename: PathComponent {
        get throws(PathComponent.Problem) {
            // Appending makes one text instead of several. A tag has tens of thousands of packages.
            var filename = name
            filename.reserveCapacity(name.utf8.count + version.utf8.count + release.utf8.count + arch.utf8.count + 7)
            filename += "-"
            filename += version
            filename += "-"
            filename += release
            filename += "."
            filename += arch
            filename += ".rpm"
            return try PathComponent(filename)
        }
    }

    public var isSource: Bool { arch == "src" || arch == "nosrc" }

    /// Whether this is a package of debugging information, according to ``isDebug(name:)``.
    public var isDebug: Bool { Self.isDebug(name: name) }

    /// Returns whether a package of that name has debugging information. The patterns are `*-debuginfo`,
    /// `*-debuginfo-*` and `*-debugsource`. rpmbuild gives these names, and Pungi uses the same patterns.
    public static func isDebug(name: String) -> Bool {
        if name.hasSuffix("-debuginfo") || name.hasSuffix("-debugsource") { return true }
        var name = name
        return name.withUTF8 { UnsafeRawBufferPointer($0).find("-debuginfo-") != nil }
    }
}

extension NEVRA: LosslessStringConvertible {
    /// `name-epoch:version-release.arch`, without `epoch:` if it is 0.
    public var description: String {
        epoch == 0 ? "\(nvr).\(arch)" : "\(name)-\(epoch):\(version)-\(release).\(arch)"
    }

    /// Reads `name-[epoch:]version-release.arch`, with or without a trailing `.rpm`. Returns `nil` for any
    /// other text.
    public init?(_ description: String) {
        var text = description[...]
        if text.hasSuffix(".rpm") { text = text.dropLast(4) }
        guard let dot = text.lastIndex(of: ".") else { return nil }
        let arch = text[text.index(after: dot)...]
        text = text[..<dot]
        guard let releaseDash = text.lastIndex(of: "-") else { return nil }
        let release = text[text.index(after: releaseDash)...]
        text = text[..<releaseDash]
        guard let versionDash = text.lastIndex(of: "-") else { return nil }
        let name = text[..<versionDash]
        let epochVersion = text[text.index(after: versionDash)...].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let epoch = epochVersion.count == 2 ? Int(epochVersion[0]) : 0
        guard let epoch, let version = epochVersion.last, !name.isEmpty, !version.isEmpty, !release.isEmpty, !arch.isEmpty else {
            return nil
        }
        self.init(name: String(name), epoch: epoch, version: String(version), release: String(release), arch: String(arch))
    }
}

// Texts are compared by bytes, as in RPM. Swift's own comparison and hashing take quadratic time on
// combining marks.
extension NEVRA {
    public static func == (a: NEVRA, b: NEVRA) -> Bool {
        a.epoch == b.epoch && a.name.hasSameBytes(as: b.name) && a.version.hasSameBytes(as: b.version)
            && a.release.hasSameBytes(as: b.release) && a.arch.hasSameBytes(as: b.arch)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(epoch)
        name.hashBytes(into: &hasher)
        version.hashBytes(into: &hasher)
        release.hashBytes(into: &hasher)
        arch.hashBytes(into: &hasher)
    }
}

extension NEVRA: Comparable {
    /// Orders by name, then by epoch, version and release as RPM compares them (`rpmvercmp`), then by
    /// architecture.
    public static func < (a: NEVRA, b: NEVRA) -> Bool {
        if !a.name.hasSameBytes(as: b.name) { return a.name.precedesInBytes(b.name) }
        if a.epoch != b.epoch { return a.epoch < b.epoch }
        for (x, y) in [(a.version, b.version), (a.release, b.release)] {
            let order = rpmvercmp(x, y)
            if order != 0 { return order < 0 }
        }
        // rpmvercmp calls some different strings equal (1.0 and 1_0). Comparing the text keeps the order
        // total.
        if !a.version.hasSameBytes(as: b.version) { return a.version.precedesInBytes(b.version) }
        if !a.release.hasSameBytes(as: b.release) { return a.release.precedesInBytes(b.release) }
        return a.arch.precedesInBytes(b.arch)
    }
}
