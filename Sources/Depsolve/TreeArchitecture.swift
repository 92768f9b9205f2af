/// The machines that one tree of packages is for: a base architecture, and the package architectures that they run.
struct TreeArchitecture: Hashable, Sendable {
    /// The base architecture, as dnf's `$basearch` has it.
    let name: String
    /// Architectures of packages that belong in the tree, the best first. `noarch` belongs everywhere and is not among them.
    let native: [String]
    /// 32-bit architectures whose packages such a machine runs as well.
    let compatible: [String]

    /// The tree that packages of `arch` belong to. `nil` for an architecture that RPM does not know.
    init?(_ arch: String) {
        guard let family = Self.families.first(where: { $0.name == arch || $0.native.contains(arch) || $0.aliases.contains(arch) }) else {
            return nil
        }
        (name, native, compatible) = (family.name, family.native, family.compatible)
    }

    /// libsolv's notation: better architectures first.
    var policy: String { (native + compatible).joined(separator: ":") }

    static var knownNames: [String] { families.map(\.name) }

    /// The architectures of packages that trees of these can have: compatible ones, `noarch` and sources among them.
    static func packages(of names: [String]) -> [String] {
        Set(names.compactMap(TreeArchitecture.init).flatMap { $0.native + $0.compatible }).sorted() + ["noarch", "nosrc", "src"]
    }

    /// Everything that ``init(_:)`` takes: the trees' own names first.
    static var accepted: [String] {
        knownNames + Set(families.flatMap { $0.native + $0.aliases }).subtracting(knownNames).sorted()
    }

    private typealias Family = (name: String, native: [String], compatible: [String], aliases: [String])

    // As dnf's table of base architectures has them, and as rpm's `arch_compat` orders them.
    private static let families: [Family] = [
        ("x86_64", ["x86_64"], ["athlon", "i686", "i586", "i486", "i386"], ["amd64", "ia32e"]),
        // Levels of x86_64, each an architecture of its own since RPM 4.19. AlmaLinux 10 has repositories of them.
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
