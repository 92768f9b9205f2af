import Foundation
import SystemPackage

/// A few modules and packages of none, small enough to read, as package files and documents.
struct ModularWorld: Sendable {
    /// One package, and the module that it was built for.
    struct Package: Sendable {
        let name: String
        let version: String
        var release = "1"
        var arch = "x86_64"
        var requires: [String] = []
        var module: String?

        /// As modulemd writes it.
        var nevra: String { "\(name)-0:\(version)-\(release).\(arch)" }
        /// As files and dnf name it.
        var nvra: String { "\(name)-\(version)-\(release).\(arch)" }
    }

    /// One build of a module.
    struct Module: Sendable {
        let name: String
        let stream: String
        var version = 20_180_405_123_256
        var context = "c2c572ec"
        var requires: [String: [String]] = ["platform": ["f26"]]
        var packages: [Package] = []
        /// What was built and is no part of it.
        var filtered: [Package] = []
        /// Of the Module Build Service: 5 is ready, 3 done.
        var state = 5

        var id: String { "\(name):\(stream):\(version):\(context)" }
        /// As Koji has it.
        var build: (name: String, version: String, release: String) {
            (name, stream.replacing("-", with: "_"), "\(version).\(context)")
        }
        var nvr: String { "\(build.name)-\(build.version)-\(build.release)" }
        var kojiTag: String { "module-\(name)-\(stream)-\(version)-\(context)" }

        /// The modulemd document; of no architecture in particular where `arch` is `nil`.
        func document(arch: String? = "x86_64") -> String {
            let artifacts = packages.filter { arch == nil || [arch, "noarch", "src"].contains($0.arch) }.map(\.nevra)
            let lists: (String, [String]) -> String = { name, items in
                items.isEmpty ? "" : "  \(name):\n    rpms:\n" + items.map { "    - \($0)\n" }.joined()
            }
            return """
                ---
                document: modulemd
                version: 2
                data:
                  name: \(name)
                  stream: "\(stream)"
                  version: \(version)
                  context: \(context)
                \(arch.map { "  arch: \($0)\n" } ?? "")\
                  summary: The module \(name)
                  description: >-
                    A module for tests.
                  license:
                    module: [MIT]
                  dependencies:
                  - requires:
                \(requires.sorted { $0.key < $1.key }.map { "      \($0.key): [\($0.value.map { "\"\($0)\"" }.joined(separator: ", "))]\n" }.joined())\
                  profiles:
                    default:
                      rpms: [\(packages.prefix(1).map(\.name).joined())]
                \(lists("filter", filtered.map(\.name)))\(lists("artifacts", artifacts))...

                """
        }
    }

    var modules: [Module]
    var others: [Package] = []
    /// The default stream of a module.
    var defaults: [String: String] = [:]

    var packages: [Package] { others + modules.flatMap { $0.packages + $0.filtered } }

    func module(_ nameAndStream: String) -> Module { modules.first { "\($0.name):\($0.stream)" == nameAndStream }! }

    static func defaults(of module: String, stream: String) -> String {
        """
        ---
        document: modulemd-defaults
        version: 1
        data:
          module: \(module)
          stream: "\(stream)"
          profiles:
            "\(stream)": [default]
        ...

        """
    }

    /// `flipper`, in two streams of which the newer needs `tongs` in its newer stream; each stream of `tongs` has another package of one name. `pan` is of no
    /// module and needs `tongs-libs`, of which there is one outside of modules as well.
    static let kitchen = ModularWorld(
        modules: [
            Module(
                name: "flipper", stream: "1", version: 20_180_101_000_000,
                packages: [.init(name: "flipper", version: "1.4", module: "flipper:1")]),
            Module(
                name: "flipper", stream: "2", requires: ["platform": ["f26"], "tongs": ["2"]],
                packages: [
                    .init(name: "flipper", version: "2.0", requires: ["tongs-libs >= 2", "handle"], module: "flipper:2"),
                    .init(name: "flipper-doc", version: "2.0", arch: "noarch", module: "flipper:2"),
                ], filtered: [.init(name: "flipper-tests", version: "2.0", module: "flipper:2")]),
            Module(
                name: "tongs", stream: "1",
                packages: [
                    .init(name: "tongs", version: "1.9", requires: ["tongs-libs"], module: "tongs:1"),
                    .init(name: "tongs-libs", version: "1.9", module: "tongs:1"),
                ]),
            Module(
                name: "tongs", stream: "2",
                packages: [
                    .init(name: "tongs", version: "2.1", requires: ["tongs-libs"], module: "tongs:2"),
                    .init(name: "tongs-libs", version: "2.1", requires: ["handle"], module: "tongs:2"),
                    .init(name: "handle", version: "1.0", module: "tongs:2"),
                ]),
        ],
        others: [
            .init(name: "pan", version: "1.0", requires: ["tongs-libs"]), .init(name: "tongs-libs", version: "3.0"),
            .init(name: "spoon", version: "1.0"),
        ], defaults: ["tongs": "1"])

    // MARK: Files

    /// Writes the package files, each where `path` says, below `directory`.
    func writePackages(in directory: FilePath, path: (Package) -> String) async throws {
        struct Described: Encodable {
            let path, name, version, release, arch, source_rpm, modularity_label: String
            let requires: [String]
        }
        try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        let list = packages.map { package in
            Described(
                path: directory.appending(path(package)).string, name: package.name, version: package.version, release: package.release,
                arch: package.arch,
                source_rpm: package.arch == "src" ? "" : "\(package.name)-\(package.version)-\(package.release).src.rpm",
                modularity_label: package.module.map { module($0).id } ?? "", requires: package.requires)
        }
        let file = directory.appending("packages.json")
        try JSONEncoder().encode(list).write(to: URL(filePath: file.string))
        try await Program.succeed(
            "/usr/bin/python3", Checkout.directory.appending("Tests/EndToEndTests/Scripts/write_packages.py").string, file.string,
            Checkout.directory.appending("tools/realrepo").string)
        try FileManager.default.removeItem(atPath: file.string)
    }

    /// All of them as one repository with modules.yaml, in the new directory `directory`.
    func writeRepository(in directory: FilePath) async throws {
        try await writePackages(in: directory) { "Packages/\($0.nvra).rpm" }
        let documents =
            modules.map { $0.document() } + defaults.sorted { $0.key < $1.key }.map { Self.defaults(of: $0.key, stream: $0.value) }
        let file = directory.appending("modules.yaml")
        try Data(documents.joined().utf8).write(to: URL(filePath: file.string))
        try await Program.succeed("createrepo_c", "--quiet", "--no-database", "--revision=100", directory.string)
        try await Program.succeed("modifyrepo_c", "--mdtype=modules", file.string, directory.appending("repodata").string)
        try FileManager.default.removeItem(atPath: file.string)
    }
}
