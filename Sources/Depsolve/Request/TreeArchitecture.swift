/// The architecture of one tree of packages: a base architecture, and the package architectures that
/// its machines run.
struct TreeArchitecture: Hashable, Sendable {
    /// The base architecture as dnf's `$basearch` has it.
    let name: String
    /// Architectures of packages that belong in the tree, the best first. `noarch` belongs in every tree
    /// and is not listed.
    let native: [String]
    /// 32-bit architectures whose packages these machines run as well.
    let compatible: [String]

    /// Finds the tree that packages of `arch` belong to. Returns `nil` if no tree is known for `arch`.
    ///
    /// Example: `i686` belongs to the tree `i386`.
    init?(_ arch: String) {
        guard let family = Self.families.first(where: { $0.name == arch || $0.native.contains(arch) || $0.aliases.contains(arch) }) else {
            return nil
        }
        (name, native, compatible) = (family.name, family.native, family.compatible)
    }

    /// The package architectures in libsolv's notation, the best first.
    var policy: String { (native + compatible).joined(separator: ":") }

    static var knownNames: [String] { families.map(\.name) }

    /// Returns the architectures of packages that the trees of `names` can have. Compatible architectures,
    /// `noarch` and sources are included.
    static func packages(of names: [String]) -> [String] {
        Set(names.compactMap(TreeArchitecture.init).flatMap { $0.native + $0.compatible }).sorted() + ["noarch", "nosrc", "src"]
    }

    /// All names that ``init(_:)`` accepts. The names of trees come first.
    static var accepted: [String] {
        knownNames + Set(families.flatMap { $0.native + $0.aliases }).subtracting(knownNames).sorted()
    }

    private typealias Family = (name: String, native: [String], compatible: [String], aliases: [String])

    // The base architectures are those of dnf's table, and the order is that of rpm's `arch_compat`.
    private static let families: [Family] = [
        ("x86_64", ["x86_64"], ["athlon", "i686", "i586", "i486", "i386"], ["amd64", "ia32e"]),
        // These are the levels of x86_64. Since RPM 4.19 each level is an architecture of its own. AlmaLinux
        // 10 has repositories for them.
        ("x86_64_v2", ["x86_64_v2", "x86_64"], ["athlon", "i686", "i586", "i486", "i386"], []),
        ("x86_64_v3", ["x86_64_v3", "x86_64_v2", "x86_64"], ["athlon", "i686", "i586", "i486", "i386"], []),
        (
            "x86_64_v4", ["x86_64_v4", "x86_64_v3", "x86_64_v2", "x86_64"], ["athlon", "i686", "i586", "i486", "i386"], []
        ),
        ("aarch64", ["aarch64"], [], ["arm64"]),
        ("ppc64le", ["ppc64le"], [], []),
        ("s390x", ["s390x"], ["s390"], []),
        ("i386", ["i686", "i586", "i486", "i386"], [], ["athlon", "geode"]),
        ("armhfp", ["armv7hnl", "armv7hl", "armv6hl"], [], ["armv8hl"]),
        ("arm", ["armv7l", "armv6l", "armv5tejl", "armv5tel", "armv5tl", "armv5l"], [], ["armv8l"]),
        ("riscv64", ["riscv64"], [], []),
        ("loongarch64", ["loongarch64"], [], []),
        ("ppc64", ["ppc64p7", "ppc64"], ["ppc"], []),
        ("ppc", ["ppc"], [], []),
        ("s390", ["s390"], [], []),
        ("mips64el", ["mips64el"], [], []),
        ("mipsel", ["mipsel"], [], []),
        ("ia64", ["ia64"], [], []),
    ]
}
