import ComposeModel

/// The `.repo` file of a compose of Pulp's repositories: a section for each of them, which points to where Pulp serves it.
struct PulpRepoFile {
    let layout: ComposeLayout
    /// In the order that the sections are to have.
    let repositories: [PulpRepository]
    /// `use_only_compatible_arch`: addresses follow the architecture of the machine that reads the file, which skips what it has no repository for.
    let onlyCompatibleArch: Bool
    let gpgcheck: Bool

    /// Plain INI; the sections' names differ between composes, so that several can be used at once.
    ///
    /// Repositories that come to have the same address, as those of one content set for several architectures do, share the section of the first.
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
        // Two ids may differ in nothing but characters that a section's name cannot have.
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

    /// `text` in the characters that dnf takes in the name of a section; none of them means anything in INI.
    private static func plain(_ text: String) -> String {
        String(text.map { ($0.isASCII && ($0.isLetter || $0.isNumber)) || "-_.:".contains($0) ? $0 : "-" })
    }
}
