import ComposeModel
import Foundation
import NIOHTTP1
import SystemPackage
import Testing

/// What dnf, createrepo_c, libsolv and productmd make of a compose.
@Suite(.sharedService, .timeLimit(.minutes(5))) struct ReaderTests {
    private var server: ServerProcess { get throws { try SharedService.current.server } }

    static var mayInstall: ConditionTrait { .enabled(if: geteuid() == 0, "dnf installs for root only") }

    @Test("dnf lists exactly the packages of each of the three repositories, and complains of nothing")
    func repoquery() async throws {
        for packages in [["ed"], []] {
            let compose = try await SharedService.current.compose(from: Checkout.testsRepo.string, packages)
            try await Dnf.with { dnf in
                try await dnf.add(compose, by: server)
                for (suffix, tree) in [("", "x86_64/os"), ("-debuginfo", "x86_64/debug/tree"), ("-source", "source/tree")] {
                    let seen = try await dnf.packages(in: compose.layout.directory + suffix)
                    #expect(try seen.packages == compose.packages(tree))
                    #expect(seen.complaints == "")
                }
            }
        }
    }

    @Test("dnf reads a compose by its address alone, as the answer of the command line advises")
    func repofrompath() async throws {
        let compose = try await SharedService.compose("ed")
        try await Dnf.with { dnf in
            let seen = try await dnf.packages(in: "made", "--repofrompath=made,\(compose.url("$basearch/os"))")
            #expect(try seen.packages == compose.packages())
            #expect(seen.complaints == "")
        }
    }

    @Test("dnf reads the trees of two architectures, and an empty one")
    func architectures() async throws {
        let compose = try await SharedService.compose("libed", "--arch=x86_64", "--arch=aarch64")
        try await Dnf.with { dnf in
            for tree in ["x86_64/os", "aarch64/os", "aarch64/debug/tree"] {
                let id = tree.replacing("/", with: "-")
                let seen = try await dnf.packages(in: id, "--forcearch=aarch64", "--repofrompath=\(id),\(compose.url(tree))")
                #expect(try seen.packages == compose.packages(tree))
                #expect(seen.complaints == "")
            }
        }
    }

    @Test("dnf on an i686 finds its tree by the .repo file")
    func i686() async throws {
        let compose = try await SharedService.compose("libed", "--arch=i686", "--arch=x86_64")
        try await Dnf.with { dnf in
            try await dnf.add(compose, by: server)
            let seen = try await dnf.packages(in: compose.layout.directory, "--forcearch=i686")
            #expect(seen.packages == ["libed-1.1-2.i686", "libed-data-1.1-2.noarch"])
            #expect(seen.complaints == "")
        }
    }

    @Test("dnf installs a requested package from the compose and its lookaside, names with a plus sign included", mayInstall)
    func install() async throws {
        let compose = try await SharedService.compose("ed", "libed++", "--lookaside=\(Checkout.lookaside)")
        try await Dnf.with { dnf in
            try await dnf.add(compose, by: server)
            let install = try await dnf.run(
                "--repofrompath=lookaside,file://\(Checkout.lookaside)", "--setopt=lookaside.gpgcheck=0", "install", "ed", "libed++")
            #expect(install.isSuccess, "\(install)")
            #expect(FileManager.default.isExecutableFile(atPath: dnf.root.appending("usr/bin/ed").string))
            #expect(FileManager.default.fileExists(atPath: dnf.root.appending("usr/lib64/libed++.so.1").string))
            let installed = try await Program.succeed("rpm", "--root=\(dnf.root)", "--query", "--all")
            #expect(
                installed.output.split(separator: "\n").sorted() == [
                    "ed-1.20-3.x86_64", "libed++-1.1-1.x86_64", "libed-1.1-2.x86_64", "libed-data-1.1-2.noarch", "tinysh-0.5-1.x86_64",
                    "tinysh-data-0.5-1.noarch",
                ])
        }
    }

    @Test(
        "a name with plus signs can be fetched escaped and unescaped",
        arguments: ["libed++-1.1-1.x86_64.rpm", "libed%2B%2B-1.1-1.x86_64.rpm"])
    func plusSigns(name: String) async throws {
        let compose = try await SharedService.compose("libed++")
        let answer = try await server.http(.GET, compose.url("x86_64/os/Packages/l/\(name)"))
        #expect(answer.status == 200)
        let original = Checkout.testsRepo.appending("Packages/libed++-1.1-1.x86_64.rpm")
        #expect(answer.body == (try Data(contentsOf: URL(filePath: original.string))))
    }

    @Test("the metadata is, but for the files' times, what createrepo_c itself writes for the same files")
    func createrepo() async throws {
        let compose = try await SharedService.compose()
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        for tree in ["x86_64/os", "x86_64/debug/tree", "source/tree"] {
            let copy = directory.path.appending(tree)
            try FileManager.default.createDirectory(atPath: copy.string, withIntermediateDirectories: true)
            try await Program.succeed("cp", "--recursive", compose.repository(tree).appending("Packages").string, copy.string)
            try await Program.succeed("createrepo_c", "--quiet", "--no-database", "--simple-md-filenames", copy.string)
            for document in ["primary", "filelists", "other"] {
                let ours = try FinishedCompose.files(below: compose.repository(tree)).first { $0.hasSuffix("-\(document).xml.gz") }
                let our = try await packages(in: compose.repository(tree).appending(try #require(ours)))
                let its = try await packages(in: copy.appending("repodata/\(document).xml.gz"))
                #expect(its.count == (try compose.packages(tree).count))
                #expect(our == its, "\(tree) \(document)")
            }
        }
    }

    /// What a document of the metadata says of each package, without the times of files: those of a checkout are the time of the checkout.
    private func packages(in document: FilePath) async throws -> Set<String> {
        let text = try await Program.succeed("gzip", "--decompress", "--stdout", document.string).output
        return Set(
            text.replacing(/<time file="\d+"/, with: #"<time file="""#).matches(of: /(?s)<package .*?<\/package>/).map {
                String($0.output)
            })
    }

    @Test("createrepo_c takes over the metadata when it updates the repository, and says no word")
    func update() async throws {
        let compose = try await SharedService.compose("ed")
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let copy = directory.path.appending("os")
        try FileManager.default.copyItem(atPath: compose.repository("x86_64/os").string, toPath: copy.string)
        let update = try await Program.succeed("createrepo_c", "--verbose", "--update", "--skip-stat", "--no-database", copy.string)
        let said = update.output + update.complaints
        #expect(said.matches(of: /CACHE HIT/).count == 3, "\(said)")
        #expect(!said.localizedCaseInsensitiveContains("warning"), "\(said)")
        let quiet = try await Program.succeed("createrepo_c", "--quiet", "--update", "--skip-stat", "--no-database", copy.string)
        #expect(quiet.output + quiet.complaints == "")
    }

    @Test("mergerepo_c merges two composes")
    func merge() async throws {
        let (first, second) = (try await SharedService.compose("ed"), try await SharedService.compose("ed-spell"))
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let merge = try await Program.succeed(
            "mergerepo_c", "--no-database", "--omit-baseurl", "--repo=file://\(first.repository("x86_64/os"))",
            "--repo=file://\(second.repository("x86_64/os"))", "--outputdir=\(directory.path)")
        #expect(merge.output + merge.complaints == "")
        try await Dnf.with { dnf in
            let seen = try await dnf.packages(in: "merged", "--repofrompath=merged,file://\(directory.path)")
            #expect(try seen.packages == (first.packages() + second.packages()).sorted())
        }
    }

    @Test("libsolv's repo2solv reads every tree without a word")
    func solv() async throws {
        let compose = try await SharedService.compose()
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        for tree in ["x86_64/os", "x86_64/debug/tree", "source/tree"] {
            let file = directory.path.appending(tree.replacing("/", with: "-"))
            let conversion = try await Program.succeed("repo2solv", "-o", file.string, compose.repository(tree).string)
            #expect(conversion.output + conversion.complaints == "")
            let count = try compose.packages(tree).count
            #expect(try await Program.succeed("dumpsolv", file.string).output.contains("repo size: \(count) solvables"))
        }
    }

    @Test("productmd loads the four documents of metadata, and lists every package with its path")
    func productmd() async throws {
        let compose = try await SharedService.compose(
            "ed", "ed-doc", "--arch=x86_64", "--arch=aarch64", "--label=RC-1.2", "--compose-type=nightly")
        let metadata: ProductMetadata = try await PythonScript.readCompose.run(compose.directory.appending("compose").string)
        #expect(metadata.id + "\n" == (try compose.text("COMPOSE_ID")))
        #expect(metadata.id.hasSuffix(".n.0"))
        #expect(metadata.type == "nightly")
        #expect(metadata.label == "RC-1.2")
        #expect(metadata.release == compose.layout.directory)
        let trees = ["aarch64": "Temporary/aarch64/os", "x86_64": "Temporary/x86_64/os"]
        #expect(metadata.variants.mapValues(\.repository) == ["Temporary": trees])
        let files = try compose.files().filter { $0.hasSuffix(".rpm") }.map { $0.replacing("compose/", with: "", maxReplacements: 1) }
        #expect(Set(metadata.rpms.map(\.path)).sorted() == files)
        let ed = metadata.rpms.filter { $0.arch == "x86_64" && $0.source == "ed-0:1.20-3.src" }
        #expect(
            Dictionary(uniqueKeysWithValues: ed.map { ($0.nevra, $0.category) }) == [
                "ed-0:1.20-3.x86_64": "binary", "ed-doc-0:1.20-3.noarch": "binary", "ed-debuginfo-0:1.20-3.x86_64": "debug",
                "ed-debugsource-0:1.20-3.x86_64": "debug", "ed-0:1.20-3.src": "source",
            ])
    }

    /// As `read_compose.py` prints it.
    private struct ProductMetadata: Decodable {
        struct Variant: Decodable {
            let repository: [String: String]
        }

        struct RPM: Decodable {
            let arch: String
            let source: String
            let nevra: String
            let path: String
            let category: String
        }

        let id: String
        let type: String
        let label: String?
        let release: String
        let variants: [String: Variant]
        let rpms: [RPM]
    }
}
