import ComposeModel

/// A Pulp repo file is the `.repo` file of a compose of Pulp's repositories. It has a section for each
/// repository, which points to the address at which Pulp serves it.
struct PulpRepoFile {
    let layout: ComposeLayout
    /// The repositories, in the order of their sections.
    let repositories: [PulpRepository]
    /// The flag `use_only_compatible_arch`. If it is set, the addresses follow the architecture of the
    /// machine that reads the file. That machine skips sections that have no repository for its
    /// architecture.
    let onlyCompatibleArch: Bool
    let gpgcheck: Bool

    /// The text of the file, in plain INI. The names of the sections differ between composes, so that a
    /// client can use several composes at once.
    ///
    /// Repositories with the same address share the section of the first one. For example, the repositories
    /// of one content set for several architectures can have the same address.
    var text: String {
        var addresses: [String] = []
        var sharing: [String: [PulpRepository]] = [:]
        for repository in repositories {
            let address = onlyCompatibleArch ? repository.urlForCompatibleArch : repository.url
            if sharing[address] == nil { addresses.append(address) }
            sharing[address, default: []].append(repository)
        }
        var taken: Set<String> = []
        return addresses.map { section($0, of: sharing[$0] ?? [], taken: &taken) }.joined(separator: "\n")
    }

    private func section(_ address: String, of repositories: [PulpRepository], taken: inout Set<String>) -> String {
        // Two ids may differ only in characters that the name of a section cannot have.
        let name = "\(layout.directory)-\(Self.plain(repositories[0].id))"
        var unique = name
        var number = 2
        while !taken.insert(unique).inserted {
            unique = "\(name)-\(number)"
            number += 1
        }
        let title = ([repositories[0].contentSet ?? repositories[0].id] + repositories.arches).map(Self.plain).joined(separator: " ")
        return """
            [\(unique)]
            name=ODCS compose \(layout.id) - \(title)
            baseurl=\(address)
            enabled=1
            enabled_metadata=1
            skip_if_unavailable=\(onlyCompatibleArch ? "True" : "False")
            gpgcheck=\(gpgcheck ? 1 : 0)
            repo_gpgcheck=0

            """
    }

    /// Returns `text` with `-` in place of every character that dnf does not accept in the name of a
    /// section. None of the accepted characters has a meaning in INI.
    private static func plain(_ text: String) -> String {
        String(text.map { ($0.isASCII && ($0.isLetter || $0.isNumber)) || "-_.:".contains($0) ? $0 : "-" })
    }
}
