import ComposeModel

/// A repo file is the `.repo` file that lets dnf use a compose. The repository of the packages is
/// enabled. Those of debuginfo and sources are disabled.
struct RepoFile {
    let layout: ComposeLayout
    /// The address of the compose's directory of repositories.
    let repositoriesURL: String
    let gpgcheck: Bool
    /// Whether clients see the packages regardless of the module streams that are enabled there.
    let moduleHotfixes: Bool
    /// Whether the packages stay in their sources, and the metadata has their addresses.
    let refers: Bool
    /// The address of the key that signed the metadata, or `nil` if the metadata is not signed.
    let gpgkey: String?

    /// The text of the file, in plain INI. The names of the sections differ between composes, so that a
    /// client can use several composes at once.
    var text: String {
        let warning =
            refers
            ? """
            # The packages are not in this compose: its metadata has their addresses (xml:base).
            # dnf reads these. zypper does not, so it cannot install from this compose.

            """ : ""
        return warning + sections
    }

    private var sections: String {
        [
            section(suffix: "", title: "", path: TreeLayout.path(.os, "$basearch"), enabled: true),
            section(suffix: "-debuginfo", title: " - debuginfo", path: TreeLayout.path(.debug, "$basearch"), enabled: false),
            section(suffix: "-source", title: " - source", path: TreeLayout.source, enabled: false),
        ].joined(separator: "\n")
    }

    private func section(suffix: String, title: String, path: String, enabled: Bool) -> String {
        """
        [\(layout.directory)\(suffix)]
        name=ODCS compose \(layout.id)\(title)
        baseurl=\(repositoriesURL)/\(path)
        enabled=\(enabled ? 1 : 0)
        enabled_metadata=1
        skip_if_unavailable=False
        gpgcheck=\(gpgcheck ? 1 : 0)
        repo_gpgcheck=\(gpgkey == nil ? 0 : 1)
        \(moduleHotfixes ? "module_hotfixes=1\n" : "")\
        \(gpgkey.map { "gpgkey=\($0)\n" } ?? "")
        """
    }
}
