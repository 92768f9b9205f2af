extension PulpRepository {
    /// The repository's ``url`` with `$basearch` in place of ``arch``. dnf replaces `$basearch` by the
    /// architecture of the machine that reads the address.
    ///
    /// Example: for `x86_64`, `http://h/f26-rpms-x86_64/x86_64/os` becomes
    /// `http://h/f26-rpms-$basearch/$basearch/os`.
    ///
    /// This is the meaning of the flag `use_only_compatible_arch`. If a product has one content set for
    /// each architecture, a machine then uses no content set of another architecture.
    ///
    /// The architecture is replaced wherever it stands alone in the path. It does not stand alone in
    /// `/ppc64le/` if ``arch`` is `ppc64`, or before a character that could belong to the variable's name.
    /// The host's name is never changed.
    ///
    /// The address stays as it is for source packages and for i686, which dnf calls i386.
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

    /// The values that dnf gives to `$basearch`, as libdnf and dnf list them.
    private static let baseArches: Set<String> = [
        "aarch64", "alpha", "arm", "armhfp", "i386", "ia64", "loongarch64", "mips", "mips64", "mips64el", "mipsel", "ppc", "ppc64",
        "ppc64le",
        "riscv64", "s390", "s390x", "sparc", "x86_64",
    ]
}

extension Character {
    fileprivate var isASCIIAlphanumeric: Bool { isASCII && (isLetter || isNumber) }
}
