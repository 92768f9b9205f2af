import Repodata

/// One package of a world, as its `.repo` file describes it.
///
/// A line at the margin begins a package: `name [epoch:]version-release arch`. The indented lines after it say what it has, a keyword
/// and the rest: `requires libfoo >= 2`, `file /usr/bin/foo`, `unlisted /usr/bin/foo` (in the file lists only), `source foo-1-1.src.rpm`. `#` begins a comment.
struct WorldPackage {
    let name: String
    var epoch = "0"
    let version: String
    let release: String
    let arch: String
    /// The dependencies of each kind, as rpm-md calls the kinds. `requires(pre)` is a kind of its own here.
    var dependencies: [String: [String]] = [:]
    var files: [String] = []
    /// Those of its files that `primary.xml` lacks although createrepo would list them there.
    var unlisted: Set<String> = []
    /// The source RPM; by default that of a source package of the same name and version.
    var source: String
    var base: String?

    var isSource: Bool { arch == "src" || arch == "nosrc" }

    var nevra: NEVRA { NEVRA(name: name, epoch: Int(epoch) ?? 0, version: version, release: release, arch: arch) }

    var fileName: String { "\(name)-\(version)-\(release).\(arch).rpm" }

    static func parse(_ text: String) throws -> [WorldPackage] {
        var packages: [WorldPackage] = []
        for line in text.split(separator: "\n").map({ $0.prefix { $0 != "#" } }) where !line.allSatisfy(\.isWhitespace) {
            let words = line.split(separator: " ").map(String.init)
            if line.first != " " {
                packages.append(try WorldPackage(words))
            } else {
                guard !packages.isEmpty, words.count > 1 else { throw WorldError(line: String(line)) }
                try packages[packages.count - 1].add(words[0], words.dropFirst().joined(separator: " "))
            }
        }
        return packages
    }

    private init(_ words: [String]) throws {
        guard words.count == 3 else { throw WorldError(line: words.joined(separator: " ")) }
        var version = words[1]
        if let colon = version.firstIndex(of: ":") {
            epoch = String(version[..<colon])
            version = String(version[version.index(after: colon)...])
        }
        let parts = version.split(separator: "-").map(String.init)
        guard parts.count == 2 else { throw WorldError(line: words.joined(separator: " ")) }
        (name, self.version, release, arch) = (words[0], parts[0], parts[1], words[2])
        source = "\(name)-\(parts[0])-\(parts[1]).src.rpm"
    }

    private mutating func add(_ keyword: String, _ rest: String) throws {
        switch keyword {
        case "requires", "requires(pre)", "provides", "conflicts", "obsoletes", "recommends", "suggests", "supplements", "enhances":
            dependencies[keyword, default: []].append(rest)
        case "file": files.append(rest)
        case "unlisted":
            files.append(rest)
            unlisted.insert(rest)
        case "source": source = rest
        case "base": base = rest
        default: throw WorldError(line: "\(keyword) \(rest)")
        }
    }
}

struct WorldError: Error {
    let line: String
}
