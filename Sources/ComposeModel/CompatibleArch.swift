extension PulpRepository {
    /// Where the repository is for whatever architecture the machine has that reads it: ``url`` with `$basearch`, which dnf replaces, for ``arch``.
    ///
    /// This is what `use_only_compatible_arch` asks for: of several content sets, each for one architecture, a machine then uses none that is for
    /// another one. The architecture is replaced wherever it stands alone in the path: in `/rpms-x86_64/x86_64/os` twice, in `/ppc64le/` not
    /// at all for `ppc64`, and never in the host. An address stays as it is where `$basearch` would become nothing that could be meant: for source
    /// packages, for i686 (dnf says i386), or before a character that would belong to the variable's name.
    public var urlForCompatibleArch: String {
        guard let arch, Self.baseArches.contains(arch), let scheme = url.firstRange(of: "://"),
            let path = url[scheme.upperBound...].firstIndex(of: "/")
        else { return url }
        var result = String(url[..<path])
        var rest = url[path...]
        while let match = rest.firstRange(of: arch) {
            let before = rest[..<match.lowerBound].last ?? result.last
            let after = rest[match.upperBound...].first
            let standsAlone = !(before?.isASCIIAlphanumeric ?? false) && !(after?.isASCIIAlphanumeric ?? false) && after != "_"
            result += rest[..<match.lowerBound] + (standsAlone ? "$basearch" : arch)
            rest = rest[match.upperBound...]
        }
        return result + rest
    }

    /// The values that dnf gives `$basearch`, as libdnf and dnf list them.
    private static let baseArches: Set<String> = [
        "aarch64", "alpha", "arm", "armhfp", "i386", "ia64", "loongarch64", "mips", "mips64", "mips64el", "mipsel", "ppc", "ppc64",
        "ppc64le",
        "riscv64", "s390", "s390x", "sparc", "x86_64",
    ]
}

extension Character {
    fileprivate var isASCIIAlphanumeric: Bool { isASCII && (isLetter || isNumber) }
}
