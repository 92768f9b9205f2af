import CSolv
import Glibc
public import Repodata

/// A pattern for packages as the request has it, and the ways to read it.
///
/// A pattern may be anything that dnf accepts: a name, or a longer form with epoch, version, release
/// and architecture. Name, version and release may be globs.
///
/// Example: `glibc.s390x` is read as a package name, and then as the name `glibc` with the architecture
/// `s390x`.
struct PackagePattern {
    /// One way to read a pattern.
    struct Reading {
        var name: Glob
        var epoch: Int?
        var version: Glob?
        var release: Glob?
        var arch: String?
    }

    let text: String

    init(_ text: String) {
        self.text = text
    }

    /// The ways to read the pattern, in the order in which they are tried. A name comes first, because most
    /// requests consist of names.
    var readings: [Reading] {
        var readings = [Reading(name: Glob(text))]
        let (rest, arch) = Self.split(text, at: ".")
        if let arch {
            readings.append(Reading(name: Glob(rest), arch: arch))
            if let reading = Self.nevr(rest, arch: arch) { readings.append(reading) }
        }
        if let reading = Self.nevr(text, arch: nil) { readings.append(reading) }
        if let reading = Self.nev(text) { readings.append(reading) }
        return readings
    }

    /// Reads `name-[epoch:]version-release`.
    private static func nevr(_ text: String, arch: String?) -> Reading? {
        let (rest, release) = split(text, at: "-")
        guard let release, var reading = nev(rest) else { return nil }
        reading.release = Glob(release)
        reading.arch = arch
        return reading
    }

    /// Reads `name-[epoch:]version`.
    private static func nev(_ text: String) -> Reading? {
        let (name, version) = split(text, at: "-")
        guard let version, !name.isEmpty else { return nil }
        guard let colon = version.firstIndex(of: ":") else { return Reading(name: Glob(name), version: Glob(version)) }
        guard let epoch = Int(version[..<colon]) else { return nil }
        return Reading(name: Glob(name), epoch: epoch, version: Glob(String(version[version.index(after: colon)...])))
    }

    /// Returns the texts before and after the last `separator`. Without a separator, returns the whole text
    /// and `nil`.
    private static func split(_ text: String, at separator: Character) -> (String, String?) {
        guard let index = text.lastIndex(of: separator) else { return (text, nil) }
        return (String(text[..<index]), String(text[text.index(after: index)...]))
    }
}

extension PackagePattern {
    /// Whether one of the readings matches `package`.
    func mayMean(_ package: NEVRA) -> Bool {
        readings.contains { reading in
            reading.name.matches(package.name) && reading.epoch.map { $0 == package.epoch } ?? true
                && reading.version?.matches(package.version) ?? true && reading.release?.matches(package.release) ?? true
                && reading.arch.map { $0 == package.arch } ?? true
        }
    }
}

extension DepsolveRequest {
    /// Whether `pattern`, in the form that ``packages`` has, may mean `package` by one of its readings.
    /// Other packages play no role.
    public static func pattern(_ pattern: String, mayMean package: NEVRA) -> Bool { PackagePattern(pattern).mayMean(package) }
}

/// A text for comparison in which `*`, `?` and `[…]` stand for other text, as in a shell.
struct Glob {
    let text: String
    let isPattern: Bool

    init(_ text: String) {
        self.text = text
        isPattern = text.contains { "*?[".contains($0) }
    }

    func matches(_ other: String) -> Bool {
        isPattern ? fnmatch(text, other, 0) == 0 : text == other
    }
}
