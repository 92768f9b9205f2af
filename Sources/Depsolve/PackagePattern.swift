import CSolv
import Glibc
public import Repodata

/// A request as it was written, and the ways to read it.
///
/// `packages` may hold what dnf accepts: names, and the longer forms with version, release and architecture, each part a glob.
struct PackagePattern {
    /// One way to read it.
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

    /// In the order in which they are tried. A name comes first, since names are what requests are made of.
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

    /// `name-[epoch:]version-release`
    private static func nevr(_ text: String, arch: String?) -> Reading? {
        let (rest, release) = split(text, at: "-")
        guard let release, var reading = nev(rest) else { return nil }
        reading.release = Glob(release)
        reading.arch = arch
        return reading
    }

    /// `name-[epoch:]version`
    private static func nev(_ text: String) -> Reading? {
        let (name, version) = split(text, at: "-")
        guard let version, !name.isEmpty else { return nil }
        guard let colon = version.firstIndex(of: ":") else { return Reading(name: Glob(name), version: Glob(version)) }
        guard let epoch = Int(version[..<colon]) else { return nil }
        return Reading(name: Glob(name), epoch: epoch, version: Glob(String(version[version.index(after: colon)...])))
    }

    /// What is before the last `separator`, and what after it.
    private static func split(_ text: String, at separator: Character) -> (String, String?) {
        guard let index = text.lastIndex(of: separator) else { return (text, nil) }
        return (String(text[..<index]), String(text[text.index(after: index)...]))
    }
}

extension PackagePattern {
    /// Whether one of its readings is about `package`.
    func mayMean(_ package: NEVRA) -> Bool {
        readings.contains { reading in
            reading.name.matches(package.name) && reading.epoch.map { $0 == package.epoch } ?? true
                && reading.version?.matches(package.version) ?? true && reading.release?.matches(package.release) ?? true
                && reading.arch.map { $0 == package.arch } ?? true
        }
    }
}

extension DepsolveRequest {
    /// Whether `pattern`, as ``packages`` has them, may mean `package`: by one of the ways to read it, whatever else there is.
    public static func pattern(_ pattern: String, mayMean package: NEVRA) -> Bool { PackagePattern(pattern).mayMean(package) }
}

/// A text to compare with, in which `*`, `?` and `[…]` may stand for others, as in a shell.
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
