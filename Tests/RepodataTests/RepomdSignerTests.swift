import Compression
import Repodata
import SystemPackage
import Testing

@Suite("signing repomd.xml")
struct RepomdSignerTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func repository() throws -> FilePath {
        let path = try directory.directory("repo")
        _ = try RepositoryWriter(directory: path, packageCount: 0, options: .init(revision: "1", timestamp: 1)).finish()
        return path
    }

    @Test("gpg verifies the signature with the exported key alone")
    func verified() async throws {
        let home = try await GPGHome()
        let repodata = try repository().appending("repodata")
        try await RepomdSigner(key: home.keyID, home: home.path).sign(repodata)
        try await home.close()

        let keyring = directory.path.appending("keyring.gpg").string
        try await Tool.run("gpg", "--batch", "--yes", "--dearmor", "--output", keyring, repodata.appending("repomd.xml.key").string)
        let signature = repodata.appending("repomd.xml.asc").string
        let good = try await Tool.run("gpgv", "--keyring", keyring, signature, repodata.appending("repomd.xml").string)
        #expect(good.complaints.contains("Good signature"))
        let other = try directory.file("repomd.xml", try repodata.appending("repomd.xml").bytes + [0x0A])
        await #expect(throws: Tool.self) { try await Tool.run("gpgv", "--keyring", keyring, signature, other.string) }
    }

    @Test("dnf accepts the repository with repo_gpgcheck")
    func dnf() async throws {
        let home = try await GPGHome()
        let path = try repository()
        try await RepomdSigner(key: home.keyID, home: home.path).sign(path.appending("repodata"))
        try await home.close()
        _ = try directory.directory("repos")
        _ = try directory.file(
            "repos/ours.repo",
            "[ours]\nname=ours\nbaseurl=file://\(path)\nenabled=1\ngpgcheck=0\nrepo_gpgcheck=1\ngpgkey=file://\(path)/repodata/repomd.xml.key\n"
        )
        let dnf = try await Tool.run(
            "dnf", "--assumeyes", "--disableplugin=*", "--releasever=1", "--setopt=reposdir=\(directory.path)/repos",
            "--setopt=cachedir=\(directory.path)/dnf", "--setopt=persistdir=\(directory.path)/dnf", "--setopt=logdir=\(directory.path)/dnf",
            "makecache")
        #expect(dnf.output.contains("Metadata cache created"))
        #expect((dnf.output + dnf.complaints).lowercased().contains("userid"), "the key was not used: \(dnf)")
    }

    @Test("a key that gpg does not have is an error with the key and gpg's own line")
    func unknownKey() async throws {
        let home = try await GPGHome()
        let repodata = try repository().appending("repodata")
        let error = await #expect(throws: RepodataError.self) {
            try await RepomdSigner(key: "0123456789ABCDEF", home: home.path).sign(repodata)
        }
        try await home.close()
        #expect(error?.code == .signing)
        #expect(error?.message.contains("0123456789ABCDEF") == true)
        #expect(error?.message.contains("gpg: ") == true)
        #expect(error?.message.contains("No secret key") == true)
        #expect(error?.message.contains(directory.path.string) == false)
        #expect(!repodata.appending("repomd.xml.asc").exists)
        #expect(!repodata.appending("repomd.xml.key").exists)
    }

    @Test("gpg's line is shown without the path of the file")
    func noPaths() async throws {
        let home = try await GPGHome()
        let error = await #expect(throws: RepodataError.self) {
            try await RepomdSigner(key: home.keyID, home: home.path).sign(try directory.directory("nothing"))
        }
        try await home.close()
        #expect(error?.message.contains("No such file or directory") == true)
        #expect(error?.message.contains("/") == false)
    }

    @Test("a host without gpg is an error that says so")
    func noProgram() async throws {
        let repodata = try repository().appending("repodata")
        let error = await #expect(throws: RepodataError.self) {
            try await RepomdSigner(key: "x", program: "gpg-that-is-not-installed").sign(repodata)
        }
        #expect(error?.message.contains("gpg-that-is-not-installed could not be run") == true)
    }
}
