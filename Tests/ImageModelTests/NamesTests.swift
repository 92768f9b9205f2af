import ForeignText
import ImageModel
import Testing

private let hex = String(repeating: "0a", count: 32)

/// Runs `body` and returns the text of the problem that it throws.
private func problem(_ body: () throws(ImageProblem) -> Void) -> String? {
    do throws(ImageProblem) {
        try body()
        return nil
    } catch {
        return error.description
    }
}

@Suite("Digests")
struct DigestTests {
    @Test("The digest of bytes is that of sha256sum, whole and in pieces")
    func computed() throws {
        let expected = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
        #expect(ImageDigest(of: Array("hello".utf8)).description == expected)
        var running = RunningDigest()
        running.update(Array("he".utf8))
        running.update(Array("llo".utf8)[...])
        #expect(running.digest.description == expected)
        #expect(running.count == 5)
        #expect(ImageDigest(of: Array("hello".utf8), .sha512).hex.hasPrefix("9b71d224bd62f378"))
    }

    @Test(
        "A text that is not a digest is refused",
        arguments: [
            "", ":", "sha256:", "sha256:\(hex)0", "sha256:\(hex.dropLast())", "sha256:\(hex.uppercased())", "md5:\(hex.prefix(32))",
            "SHA256:\(hex)", "sha512:\(hex)", "sha256:../../../../../../../../../../../../../../../../../../../../etc/pass",
            "sha256:\(hex)\n", "sha256:\(hex)" + String(repeating: "a", count: 1000),
        ])
    func refused(text: String) {
        #expect(throws: ImageProblem.self) { try ImageDigest(text) }
    }

    @Test("The problem of a digest names the digest and its mistake")
    func problems() {
        #expect(
            problem { () throws(ImageProblem) in _ = try ImageDigest("sha256:12") }
                == "The digest \"sha256:12\" does not have 64 lowercase hexadecimal digits after the colon.")
        #expect(
            problem { () throws(ImageProblem) in _ = try ImageDigest("md5:12") }
                == "The digest \"md5:12\" begins neither with sha256: nor with sha512:.")
    }

    @Test("The tag of referrers has the algorithm and at most 64 digits")
    func referrersTag() throws {
        #expect(try ImageDigest("sha256:\(hex)").referrersTag.text == "sha256-\(hex)")
        #expect(try ImageDigest("sha512:\(hex)\(hex)").referrersTag.text == "sha512-\(hex)")
    }
}

@Suite("Platforms")
struct PlatformTests {
    @Test(
        "A platform is normalised as containerd does, and Debian's and RPM's names are known",
        arguments: [
            ("linux/amd64", "linux/amd64"), ("x86_64", "linux/amd64"), ("linux/amd64/v1", "linux/amd64"),
            ("linux/amd64/v3", "linux/amd64/v3"),
            ("aarch64", "linux/arm64"), ("linux/arm64/v8", "linux/arm64"), ("linux/arm", "linux/arm/v7"), ("linux/arm/7", "linux/arm/v7"),
            ("linux/arm/v6", "linux/arm/v6"), ("armhf", "linux/arm/v7"), ("armel", "linux/arm/v6"), ("i386", "linux/386"),
            ("i686", "linux/386"),
            ("ppc64el", "linux/ppc64le"), ("s390x", "linux/s390x"), ("riscv64", "linux/riscv64"), ("mips64el", "linux/mips64le"),
            ("Linux/ARM64", "linux/arm64"), ("macos/arm64", "darwin/arm64"),
        ])
    func normalised(text: String, platform: String) throws {
        #expect(try Platform(text).description == platform)
    }

    @Test("Debian's name leads back to the same platform", arguments: ["armhf", "armel", "i386", "ppc64el", "amd64", "arm64", "mips64el"])
    func debian(name: String) throws {
        #expect(try Platform(name).debianArchitecture == name)
    }

    @Test(
        "A text that is not a platform is refused",
        arguments: ["", "/", "linux/", "linux//v7", "linux/arm/v7/x", "linux/..", "linux/arm 64", "linux/\u{0}", "linux/ärm", "../amd64"])
    func refused(text: String) {
        #expect(throws: ImageProblem.self) { try Platform(text) }
    }

    @Test("The platform of this host is known")
    func host() {
        #expect(Platform.host.os == "linux")
    }
}

@Suite("References")
struct ReferenceTests {
    @Test(
        "A reference has the defaults of distribution",
        arguments: [
            ("debian", "docker.io/library/debian", "debian"),
            ("debian:12-slim", "docker.io/library/debian:12-slim", "debian:12-slim"),
            ("team/web", "docker.io/team/web", "team/web"),
            ("docker.io/debian", "docker.io/library/debian", "debian"),
            ("index.docker.io/library/debian", "docker.io/library/debian", "debian"),
            ("localhost/web", "localhost/web", "localhost/web"),
            ("localhost:5000/web:1", "localhost:5000/web:1", "localhost:5000/web:1"),
            ("127.0.0.1:5000/a/b/c", "127.0.0.1:5000/a/b/c", "127.0.0.1:5000/a/b/c"),
            ("[::1]:5000/web", "[::1]:5000/web", "[::1]:5000/web"),
            ("Registry.example.org/web", "Registry.example.org/web", "Registry.example.org/web"),
            ("HOST/web", "HOST/web", "HOST/web"),
            ("r.example.org/a__b/c-d---e.f_g", "r.example.org/a__b/c-d---e.f_g", "r.example.org/a__b/c-d---e.f_g"),
            ("web@sha256:\(hex)", "docker.io/library/web@sha256:\(hex)", "web@sha256:\(hex)"),
            ("r.example.org/web:v1@sha256:\(hex)", "r.example.org/web:v1@sha256:\(hex)", "r.example.org/web:v1@sha256:\(hex)"),
        ])
    func read(text: String, canonical: String, familiar: String) throws {
        let reference = try ImageReference(text)
        #expect(reference.description == canonical)
        #expect(reference.familiarName == familiar)
        #expect(try ImageReference(canonical) == reference)
    }

    @Test(
        "A text that is not a reference is refused",
        arguments: [
            "", ":", "/", "@", "web:", "web@", "web:tag@", "Web", "docker.io/Web", "../web", "r.example.org/../web",
            "r.example.org/a/../../b",
            "r.example.org/./web", "r.example.org//web", "r.example.org/web/", "/web", "r.example.org/.web", "r.example.org/web.", "a..b",
            "a___b", "a._b", "web:.tag", "web:-tag", "web:a/b", "web:ta g", "web\n", "web:tag\n", "wéb", "r.example.org:0/web",
            "r.example.org:65536/web", "r.example.org:99999999999999999999/web", "r.example.org:/web", "user@r.example.org/web",
            "http://r.example.org/web", "-r.example.org/web", "r..example.org/web", "[::1/web", "[zz::]/web", "web@sha256:12", "web@md5:12",
            String(repeating: "0a", count: 32), String(repeating: "a", count: 256), "web:" + String(repeating: "t", count: 129),
            "r.example.org/we%2e%2e", "r.example.org/web?x", "r.example.org/web#x",
        ])
    func refused(text: String) {
        #expect(throws: ImageProblem.self) { try ImageReference(text) }
    }

    @Test("Every component of an accepted reference is a path component")
    func components() throws {
        let reference = try ImageReference("r.example.org:5000/a.b/c__d:e@sha256:\(hex)")
        let repository = reference.repository
        let texts = repository.components.map(String.init) + [repository.host.description, "\(try #require(reference.tag))"]
        #expect(texts.allSatisfy(PathComponent.accepts))
    }

    @Test("The default tag is added only to a name without tag and digest")
    func defaultTag() throws {
        #expect(try ImageReference("web").withDefaultTag.tag == .latest)
        #expect(try ImageReference("web@sha256:\(hex)").withDefaultTag.tag == nil)
    }

    @Test("The problem of a reference shows what is wrong")
    func problems() {
        #expect(
            problem { () throws(ImageProblem) in _ = try ImageReference("r.example.org/Team/web") }
                == "\"Team\" in the name \"Team/web\" must be lowercase letters and digits, separated by a dot, one or two underscores, "
                + "or hyphens.")
        #expect(
            problem { () throws(ImageProblem) in _ = try ImageReference("web:\u{1b}[2J") }
                == "\"U+001B[2J\" is not a tag. It must have 1 to 128 letters, digits, _, . and -, and must not begin with . or -.")
    }

    @Test("A host that a reference would not show as one is refused", arguments: ["registry", "", "a/b", "r.example.org/", "http://r"])
    func hosts(text: String) {
        #expect(throws: ImageProblem.self) { try RegistryHost(text) }
    }

    @Test(
        "Hosts of loopback are recognized",
        arguments: [
            ("localhost:5000", true), ("127.1.2.3", true), ("[::1]:80", true), ("127.0.0.1.example.org", false), ("r.example.org", false),
            ("localhost.example.org", false),
        ])
    func loopback(host: String, isLoopback: Bool) throws {
        #expect(try RegistryHost(host).isLoopback == isLoopback)
    }
}

@Suite("Addresses of build systems")
struct FetchAddressTests {
    @Test(
        "An address has repository, tag and digest",
        arguments: [
            ("docker://debian;digest=sha256:\(hex);tag=12", "docker://debian;digest=sha256:\(hex);tag=12"),
            (
                "docker://r.example.org:5000/team/web;tag=1;digest=sha256:\(hex)",
                "docker://r.example.org:5000/team/web;digest=sha256:\(hex);tag=1"
            ),
            ("docker://debian", "docker://debian"),
            ("debian:12", "docker://debian;tag=12"),
            ("debian@sha256:\(hex)", "docker://debian;digest=sha256:\(hex)"),
            ("docker://debian:12;tag=12", "docker://debian;tag=12"),
        ])
    func read(text: String, form: String) throws {
        let address = try FetchAddress(text)
        #expect(address.description == form)
        #expect(try FetchAddress(form) == address)
    }

    @Test(
        "A text that is not an address is refused",
        arguments: [
            "", "docker://", "http://debian", "file:///etc/passwd", "docker://debian;", "docker://debian;tag", "docker://debian;arch=arm64",
            "docker://debian:11;tag=12", "docker://debian;tag=../x", "docker://debian;digest=12", "docker://../debian",
            "docker://debian;tag=1;tag=2",
        ])
    func refused(text: String) {
        #expect(throws: ImageProblem.self) { try FetchAddress(text) }
    }

    @Test("The line with the digest can be shown and read again")
    func pinned() throws {
        let digest = try ImageDigest("sha256:\(hex)")
        let pinned = try FetchAddress("docker://debian;tag=12").pinned(to: digest)
        #expect(pinned.description == "docker://debian;digest=sha256:\(hex);tag=12")
    }
}
