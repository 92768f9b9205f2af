import ComposeModel

/// The `.repo` file by which dnf uses a compose: the packages, and, switched off, their debuginfo and their sources.
struct RepoFile {
    let layout: ComposeLayout
    /// The address of the compose's directory of repositories.
    let repositoriesURL: String
    let gpgcheck: Bool
    /// Whether clients see the packages whatever streams of modules they have enabled.
    let moduleHotfixes: Bool
    /// Whether the packages stay where they are, and the metadata has their addresses.
    let refers: Bool
    /// The address of the key that signed the metadata.
    let gpgkey: String?

    /// Plain INI; the sections' names differ between composes, so that several can be used at once.
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
            section(suffix: "", title: "", path: "$basearch/os", enabled: true),
            section(suffix: "-debuginfo", title: " - debuginfo", path: "$basearch/debug/tree", enabled: false),
            section(suffix: "-source", title: " - source", path: "source/tree", enabled: false),
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
