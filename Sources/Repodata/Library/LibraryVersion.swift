import CCreaterepo
import CRPM
import CXML2
import Compression

/// A C library that this package uses, with its version on this host.
public struct LibraryVersion: Hashable, Sendable, CustomStringConvertible {
    public let name: String
    /// The version that the process has loaded, such as `4.18.0`. For libcreaterepo_c it is the version of
    /// the headers.
    public let running: String
    /// The version of the headers that this package was built with, or `nil` if the library does not report
    /// it.
    public let built: String?

    public init(name: String, running: String, built: String? = nil) {
        self.name = name
        self.running = running
        self.built = built
    }

    public var description: String { "\(name) \(running)" }

    /// Whether the loaded library is older than its headers. If so, something may be missing or mean
    /// something else.
    public var isOlderThanBuilt: Bool {
        guard let built else { return false }
        return Self.numbers(running).lexicographicallyPrecedes(Self.numbers(built))
    }

    private static func numbers(_ version: String) -> [Int] { version.split(separator: ".").map { Int($0.prefix(while: \.isNumber)) ?? 0 } }

    /// The libraries that this module uses.
    public static var repodata: [LibraryVersion] {
        [
            LibraryVersion(name: "librpm", running: crpm_version().map { String(cString: $0) } ?? "unknown"),
            LibraryVersion(name: "libcreaterepo_c", running: "\(CR_VERSION_MAJOR).\(CR_VERSION_MINOR).\(CR_VERSION_PATCH)"),
            LibraryVersion(
                name: "libxml2", running: dotted(cxml2_version().map { String(cString: $0) } ?? ""), built: LIBXML_DOTTED_VERSION),
        ]
    }

    /// Converts libxml2's own form of a version to dots: `20914` is 2.9.14. A suffix like `-GITv2.9.14` may
    /// follow.
    private static func dotted(_ number: String) -> String {
        guard let number = Int(number.prefix(while: \.isNumber)) else { return "unknown" }
        return "\(number / 10_000).\(number / 100 % 100).\(number % 100)"
    }

    /// Whether librpm can read its configuration on this host. Without it, no package's header can be read.
    public static var hasRPMConfiguration: Bool { CreaterepoLibrary.isReady }
}
