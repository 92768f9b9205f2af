import Foundation
import SystemPackage
import Testing

/// Repositories that dnf installs from, though they are not as createrepo_c and libmodulemd would write them.
@Suite(.sharedService, .timeLimit(.minutes(5)))
struct OddRepositoryTests {
    private func repository() throws -> RepositoryCopy { try RepositoryCopy(in: SharedService.current.sources) }

    private func compose(_ repository: RepositoryCopy, _ arguments: String...) async throws -> FinishedCompose {
        try await SharedService.current.compose(from: repository.location, arguments)
    }

    /// The types of the documents that repomd.xml of a compose names.
    private func documents(of compose: FinishedCompose, _ tree: String = "x86_64/os") throws -> Set<String> {
        let repomd = try compose.text("compose/Temporary/\(tree)/repodata/repomd.xml")
        return Set(repomd.matches(of: /<data type="([a-z_-]+)"/).map { String($0.1) })
    }

    // MARK: Modules

    /// As the first build service wrote modules: the packages have no epoch, which libmodulemd refuses.
    private static let firstModules = """
        ---
        document: modulemd
        version: 1
        data:
          name: sample
          stream: master
          version: 20170601000000
          summary: A module as the first build service wrote it
          description: Packages have no epoch.
          license: {module: [MIT]}
          dependencies:
            requires: {base-runtime: master}
          artifacts:
            rpms:
            - ed-1.20-3.x86_64
            - libed-1.1-2.x86_64

        """

    @Test("a modules.yaml of the first modules is refused and said to be; its packages are ordinary ones")
    func firstModules() async throws {
        let repository = try repository()
        try await repository.add(Self.firstModules, as: "modules", named: "modules.yaml")
        let finished = try await compose(repository, "ed")
        #expect(finished.state == "done", "\(finished.reason)")
        #expect(try finished.packages() == ["ed-1.20-3.x86_64", "libed-1.1-2.x86_64", "libed-data-1.1-2.noarch"])
        let note = "The module metadata of the repository \(repository.location) cannot be used for the module sample:master: "
        #expect(finished.reason.contains { $0.hasPrefix(note) }, "\(finished.reason)")
        #expect(try finished.text("pungi-stderr.log").contains(note))
        #expect(try !documents(of: finished).contains("modules"))

        let resolved = try await Program.run([Program.own("odcs-server"), "resolve", repository.location, "ed"])
        #expect(resolved.isSuccess && resolved.complaints.contains(note), "\(resolved)")
        for package in try finished.packages() { #expect(resolved.output.contains(package)) }
    }

    @Test("a request for the module of a refused document fails and names the document")
    func refusedModule() async throws {
        let repository = try repository()
        try await repository.add(Self.firstModules, as: "modules", named: "modules.yaml")
        let finished = try await compose(repository, "ed", "--module=sample:master")
        #expect(finished.state == "failed")
        #expect(
            finished.reason.joined().contains(
                "There is no module sample:master in the repositories. The module metadata of the repository \(repository.location) "
                    + "cannot be used for the module sample:master: "), "\(finished.reason)")
    }

    @Test("documents of noarch modules are in the trees of all architectures")
    func noarchModules() async throws {
        let repository = try repository()
        let document = """
            ---
            document: modulemd
            version: 2
            data:
              name: letters
              stream: "1"
              version: 1
              context: aa
              arch: noarch
              summary: s
              description: d
              license: {module: [MIT]}
              artifacts: {rpms: ["libed-data-0:1.1-2.noarch"]}
            ...
            ---
            document: modulemd-defaults
            version: 1
            data: {module: letters, stream: "1"}
            ...

            """
        try await repository.add(document, as: "modules", named: "modules.yaml")
        let finished = try await compose(repository, "libed-data", "--arch=x86_64", "--arch=aarch64")
        #expect(finished.state == "done", "\(finished.reason)")
        for tree in ["x86_64/os", "aarch64/os"] { #expect(try documents(of: finished, tree).contains("modules"), "\(tree)") }
    }

    // MARK: Packages

    @Test("a package that the file lists lack gets its files from its RPM")
    func packageWithoutFileList() async throws {
        let repository = try repository()
        let lists = try await Program.succeed("zcat", repository.directory.appending("repodata/filelists.xml.gz").string).output
        let lacking = lists.replacing(/<package pkgid="[0-9a-f]+" name="libed" .*?<\/package>\s*/.dotMatchesNewlines(), with: "")
        #expect(lacking.utf8.count < lists.utf8.count)
        try await repository.add(lacking, as: "filelists", named: "filelists.xml")
        let finished = try await compose(repository, "ed")
        #expect(finished.state == "done", "\(finished.reason)")
        let repodata = finished.repository("x86_64/os").appending("repodata")
        let written = try FinishedCompose.files(below: repodata).first { $0.contains("filelists.xml") }
        let path = try #require(written.map { repodata.appending($0).string })
        #expect(try await Program.succeed("zcat", path).output.contains("/usr/lib64/libed.so.1"))
        let finding = "In the metadata of the repository \(repository.location), filelists or other lacks 2 packages of this compose."
        #expect(finished.reason.contains(finding), "\(finished.reason)")
        #expect(try finished.text("pungi-stderr.log").contains(finding))
    }

    @Test("an entry without a checksum is left out, which the compose's reason and log say")
    func entryWithoutChecksum() async throws {
        let repository = try repository()
        let primary = try await Program.succeed("zcat", repository.directory.appending("repodata/primary.xml.gz").string).output
        let odd = primary.replacing(
            "</metadata>",
            with: "<package type=\"rpm\"><name>odd</name><arch>noarch</arch><version epoch=\"0\" ver=\"1\" rel=\"1\"/></package></metadata>"
        )
        try await repository.add(odd, as: "primary", named: "primary.xml")
        let finished = try await compose(repository, "ed")
        #expect(finished.state == "done", "\(finished.reason)")
        let finding =
            "Of the repository \(repository.location), 1 entry of primary.xml is left out: no usable name, checksum or location."
        #expect(finished.reason.contains(finding), "\(finished.reason)")
        #expect(try finished.text("pungi-stderr.log").contains(finding))
    }

    @Test("a package without an epoch is composed, and has the epoch 0 in what is written", arguments: ["<version", "<version epoch=\"\""])
    func noEpoch(version: String) async throws {
        let repository = try repository()
        for type in ["primary", "filelists", "other"] {
            let text = try await Program.succeed("zcat", repository.directory.appending("repodata/\(type).xml.gz").string).output
            try await repository.add(text.replacing("<version epoch=\"0\"", with: version), as: type, named: "\(type).xml")
        }
        let finished = try await compose(repository, "ed")
        #expect(try finished.packages() == ["ed-1.20-3.x86_64", "libed-1.1-2.x86_64", "libed-data-1.1-2.noarch"], "\(finished.reason)")
        let repodata = finished.repository("x86_64/os").appending("repodata")
        for file in try FinishedCompose.files(below: repodata) where file.hasSuffix(".xml.gz") {
            let text = try await Program.succeed("zcat", repodata.appending(file).string).output
            #expect(text.ranges(of: "<version epoch=\"0\"").count == 3 && text.ranges(of: "<version ").count == 3, "\(file)")
        }
    }

    @Test("a change log with a control character, which XML cannot have, costs that character alone", arguments: [true, false])
    func controlCharacter(hasOther: Bool) async throws {
        let directory = try SharedService.current.sources.appending("control-\(UUID())")
        try await package(
            """
            Name: esc
            Version: 1.0
            Release: 1
            Summary: s
            License: MIT
            BuildArch: noarch
            %description
            d
            %files
            %changelog
            * Mon Jan 01 2024 A <a@example.org> - 1.0-1
            - added %{lua:print(string.char(27))}[200~patch

            """, into: "repo", of: directory)
        try await Program.succeed(
            "createrepo_c", "--quiet", "--no-database", "--changelog-limit", "0", directory.appending("repo").string)
        if !hasOther {
            try await Program.succeed("modifyrepo_c", "--remove", "other", directory.appending("repo/repodata").string)
        }
        let finished = try await SharedService.current.compose(from: directory.appending("repo").string, ["esc"])
        #expect(finished.state == "done", "\(finished.reason)")
        try await Dnf.with { dnf in
            try await dnf.add(finished, by: SharedService.current.server)
            #expect(try await dnf.run("repoquery", "--changelog", "esc").isSuccess)
        }
    }

    /// Builds a noarch package of a spec file into a folder of `directory`.
    private func package(_ spec: String, into folder: String, of directory: FilePath) async throws {
        try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        let file = directory.appending("package.spec")
        try Data(spec.utf8).write(to: URL(filePath: file.string))
        try await Program.succeed(
            "rpmbuild", "-bb", "--quiet", "--define", "_topdir \(directory)/build", "--define", "_rpmdir \(directory)/\(folder)",
            file.string)
    }

    @Test("packages that differ in their epochs alone are all there, each with a file of its own")
    func epochs() async throws {
        let directory = try SharedService.current.sources.appending("epochs-\(UUID())")
        for (folder, preamble) in [
            ("a", "Name: foo"), ("b", "Name: foo\nEpoch: 1"), ("a", "Name: oldapp\nRequires: foo < 1:0"),
            ("a", "Name: newapp\nRequires: foo >= 1:1.0"),
        ] {
            try await package(
                "\(preamble)\nVersion: 1.0\nRelease: 1\nSummary: s\nLicense: MIT\nBuildArch: noarch\n%description\nd\n%files\n",
                into: "repo/\(folder)", of: directory)
        }
        try await Program.succeed("createrepo_c", "--quiet", "--no-database", directory.appending("repo").string)
        let finished = try await SharedService.current.compose(
            from: directory.appending("repo").string, ["oldapp", "newapp", "--check-deps"])
        #expect(finished.state == "done", "\(finished.reason)")
        let files = try FinishedCompose.files(below: finished.repository("x86_64/os")).filter { $0.hasSuffix(".rpm") }
        #expect(
            files == [
                "Packages/f/2/foo-1.0-1.noarch.rpm", "Packages/f/foo-1.0-1.noarch.rpm", "Packages/n/newapp-1.0-1.noarch.rpm",
                "Packages/o/oldapp-1.0-1.noarch.rpm",
            ])
        try await Dnf.with { dnf in
            try await dnf.add(finished, by: SharedService.current.server)
            guard geteuid() == 0 else { return }
            for package in ["oldapp", "newapp"] {
                let install = try await dnf.run("install", "--downloadonly", package)
                #expect(install.isSuccess, "\(install)")
            }
        }
    }

    // MARK: Other documents

    private static let advisories = """
        <?xml version="1.0" encoding="UTF-8"?>
        <updates><update from="a@example.org" status="final" type="security" version="1"><id>EX-2024:1</id><title>ed</title>
        <issued date="2024-01-01 00:00:00"/><references/><description>d</description><pkglist><collection short="c"><name>c</name>
        <package name="ed" version="1.20" release="3" epoch="0" arch="x86_64" src="ed-1.20-3.src.rpm">
        <filename>ed-1.20-3.x86_64.rpm</filename></package></collection></pkglist></update></updates>

        """

    private static let groups = """
        <?xml version="1.0" encoding="UTF-8"?>
        <!DOCTYPE comps PUBLIC "-//Red Hat, Inc.//DTD Comps info//EN" "comps.dtd">
        <comps><group><id>tools</id><name>Tools</name><description>d</description><default>true</default><uservisible>true</uservisible>
        <packagelist><packagereq type="mandatory">ed</packagereq></packagelist></group></comps>

        """

    @Test("a compose of all packages of one repository keeps advisories and groups; of some packages, its log says that they are not there")
    func otherDocuments() async throws {
        let repository = try repository()
        try await repository.add(Self.advisories, as: "updateinfo", named: "updateinfo.xml")
        try await repository.add(Self.groups, as: "group", named: "comps.xml")
        try await repository.add("notes", as: "vendor-notes", named: "notes.txt")
        let all = try await compose(repository)
        #expect(all.state == "done", "\(all.reason)")
        #expect(try documents(of: all) == ["primary", "filelists", "other", "updateinfo", "group"])
        #expect(
            try all.text("pungi-stderr.log").contains(
                "does not have these documents of the repository \(repository.location): vendor-notes."))
        #expect(try !all.files().contains { $0.contains(".kept") })
        try await Dnf.with { dnf in
            try await dnf.add(all, by: SharedService.current.server)
            guard geteuid() == 0 else { return }
            let advisories = try await dnf.run("updateinfo", "list", "--all")
            #expect(advisories.isSuccess, "\(advisories)")
            let groups = try await dnf.run("group", "info", "tools")
            #expect(groups.isSuccess && groups.output.contains("ed"), "\(groups)")
        }

        let some = try await compose(repository, "ed")
        #expect(try documents(of: some) == ["primary", "filelists", "other"])
        let log = try some.text("pungi-stderr.log")
        #expect(log.contains("these documents of the repository \(repository.location): "), "\(log)")
        #expect(log.contains("updateinfo") && log.contains("group"))
    }
}

extension RepositoryCopy {
    /// Adds a document to the metadata.
    fileprivate func add(_ text: String, as type: String, named name: String) async throws {
        try write(text, to: name)
        try await Program.succeed(
            "modifyrepo_c", "--mdtype=\(type)", directory.appending(name).string, directory.appending("repodata").string)
        try remove(name)
    }
}
