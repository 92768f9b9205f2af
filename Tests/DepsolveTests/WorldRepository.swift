import CSolv
import Compression
import Foundation
import Repodata
import SystemPackage

/// Writes packages of a world as the metadata of a repository, in the form that ContentSources leaves it and in the form that dnf reads.
struct WorldRepository {
    let packages: [WorldPackage]
    /// Has to do with the checksums only, so that equal packages of two repositories differ.
    let name: String
    /// The documents of its modules in YAML.
    var modules = ""

    /// Writes the documents into `directory`, which is made.
    func write(to directory: URL) throws -> RepositoryMetadata {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let primary = Data(primary.utf8)
        let filelists = Data(filelists.utf8)
        let repomd = Data(
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <repomd xmlns="http://linux.duke.edu/metadata/repo">
              <revision>1</revision>
            \(Self.entry("primary", primary))
            \(Self.entry("filelists", filelists))\(modules.isEmpty ? "" : "\n" + Self.entry("modules", Data(modules.utf8), suffix: "yaml"))
            </repomd>
            """.utf8)
        try primary.write(to: directory.appending(path: "primary.xml"))
        try filelists.write(to: directory.appending(path: "filelists.xml"))
        if !modules.isEmpty { try Data(modules.utf8).write(to: directory.appending(path: "modules.yaml")) }
        try repomd.write(to: directory.appending(path: "repomd.xml"))
        return RepositoryMetadata(
            id: Checksum(.sha256, hex: Self.sha256(repomd)), directory: FilePath(directory.path), hasFilelists: true, hasOther: false)
    }

    private static func entry(_ type: String, _ data: Data, suffix: String = "xml") -> String {
        """
          <data type="\(type)">
            <checksum type="sha256">\(sha256(data))</checksum>
            <location href="repodata/\(type).\(suffix)"/>
            <timestamp>1</timestamp>
            <size>\(data.count)</size>
          </data>
        """
    }

    static func sha256(_ data: Data) -> String {
        let sum = solv_chksum_create(Id(REPOKEY_TYPE_SHA256.rawValue))
        defer { solv_chksum_free(sum, nil) }
        data.withUnsafeBytes { solv_chksum_add(sum, $0.baseAddress, Int32($0.count)) }
        var length: Int32 = 0
        let bytes = solv_chksum_get(sum, &length)
        return UnsafeBufferPointer(start: bytes, count: Int(length)).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
            .joined()
    }

    private func pkgid(_ package: WorldPackage) -> String {
        Self.sha256(Data("\(name)/\(package.epoch):\(package.fileName)".utf8))
    }

    // MARK: Documents

    private var primary: String {
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="\(packages.count)">
        \(packages.map(primary).joined(separator: "\n"))
        </metadata>

        """
    }

    private func primary(_ package: WorldPackage) -> String {
        let base = package.base.map { " xml:base=\"\($0)\"" } ?? ""
        let directory = package.name.prefix(1)
        let arch = package.isSource ? "src" : package.arch
        var lines = [
            "<package type=\"rpm\"><name>\(package.name)</name><arch>\(arch)</arch>\(version(package))",
            "<checksum type=\"sha256\" pkgid=\"YES\">\(pkgid(package))</checksum><summary>\(package.name)</summary>",
            "<size package=\"1000\" installed=\"2000\" archive=\"2100\"/>",
            "<location\(base) href=\"Packages/\(directory)/\(package.fileName)\"/>",
            "<format><rpm:sourcerpm>\(package.isSource ? "" : package.source)</rpm:sourcerpm>",
        ]
        let itself = "\(package.name) = \(package.epoch):\(package.version)-\(package.release)"
        for kind in ["provides", "requires", "conflicts", "obsoletes", "recommends", "suggests", "supplements", "enhances"] {
            var entries = package.dependencies[kind, default: []].map { Self.entry($0) }
            if kind == "provides", !package.isSource { entries.append(Self.entry(itself)) }
            if kind == "requires" { entries += package.dependencies["requires(pre)", default: []].map { Self.entry($0, pre: true) } }
            if !entries.isEmpty { lines.append("<rpm:\(kind)>\(entries.joined())</rpm:\(kind)>") }
        }
        lines += package.files.filter { Self.isInPrimary($0) && !package.unlisted.contains($0) }.map { "<file>\(Self.escaped($0))</file>" }
        return lines.joined(separator: "\n") + "</format></package>"
    }

    /// What createrepo puts into primary.xml.
    private static func isInPrimary(_ path: String) -> Bool {
        path.hasPrefix("/etc/") || path.contains("bin/") || path == "/usr/lib/sendmail"
    }

    private func version(_ package: WorldPackage) -> String {
        "<version epoch=\"\(package.epoch)\" ver=\"\(package.version)\" rel=\"\(package.release)\"/>"
    }

    private var filelists: String {
        let entries = packages.map { package in
            "<package pkgid=\"\(pkgid(package))\" name=\"\(package.name)\" arch=\"\(package.arch)\">\(version(package))"
                + package.files.map { "<file>\(Self.escaped($0))</file>" }.joined() + "</package>"
        }
        return """
            <?xml version="1.0" encoding="UTF-8"?>
            <filelists xmlns="http://linux.duke.edu/metadata/filelists" packages="\(packages.count)">
            \(entries.joined(separator: "\n"))
            </filelists>

            """
    }

    /// `name`, `name = [epoch:]version[-release]`, or a rich dependency.
    private static func entry(_ dependency: String, pre: Bool = false) -> String {
        let extra = pre ? " pre=\"1\"" : ""
        let words = dependency.split(separator: " ").map(String.init)
        let flags = ["=": "EQ", "<": "LT", "<=": "LE", ">": "GT", ">=": "GE"]
        guard !dependency.hasPrefix("("), words.count == 3, let flag = flags[words[1]] else {
            return "<rpm:entry name=\"\(escaped(dependency))\"\(extra)/>"
        }
        var version = words[2][...]
        var epoch = "0"
        if let colon = version.firstIndex(of: ":") {
            epoch = String(version[..<colon])
            version = version[version.index(after: colon)...]
        }
        let parts = version.split(separator: "-")
        let release = parts.count > 1 ? " rel=\"\(parts[1])\"" : ""
        return "<rpm:entry name=\"\(escaped(words[0]))\" flags=\"\(flag)\" epoch=\"\(epoch)\" ver=\"\(parts[0])\"\(release)\(extra)/>"
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
    }
}
