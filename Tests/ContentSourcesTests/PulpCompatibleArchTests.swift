import ComposeModel
import Testing

@Suite("use_only_compatible_arch")
struct PulpCompatibleArchTests {
    @Test(
        "the architecture in an address becomes that of whoever reads it, wherever it stands alone in the path",
        arguments: [
            ("x86_64", "http://h/content/x86_64/os/", "http://h/content/$basearch/os/"),
            ("x86_64", "http://h/f26-rpms-x86_64/x86_64/os", "http://h/f26-rpms-$basearch/$basearch/os"),
            ("x86_64", "http://h/x86_64", "http://h/$basearch"),
            ("s390x", "http://h/rhel_s390x.d/os", "http://h/rhel_$basearch.d/os"),
            // Not in the host, nor in the port, nor where there is no path.
            ("x86_64", "http://x86_64.example.org/x86_64/", "http://x86_64.example.org/$basearch/"),
            ("x86_64", "http://x86_64.example.org", "http://x86_64.example.org"),
            // Not a part of another name.
            ("ppc64", "http://h/ppc64le/os", "http://h/ppc64le/os"),
            ("ppc64", "http://h/ppc64le/ppc64/os", "http://h/ppc64le/$basearch/os"),
            ("arm", "http://h/charm/arm64/alarm/", "http://h/charm/arm64/alarm/"),
            ("s390", "http://h/s390x/s390/", "http://h/s390x/$basearch/"),
            // $basearch_v2 would be another variable.
            ("x86_64", "http://h/x86_64_v2/x86_64/", "http://h/x86_64_v2/$basearch/"),
            // No machine has these.
            ("noarch", "http://h/noarch/os", "http://h/noarch/os"),
            ("src", "http://h/src/os", "http://h/src/os"),
            ("i686", "http://h/i686/os", "http://h/i686/os"),
            // Pulp says another architecture than the address.
            ("aarch64", "http://h/x86_64/os", "http://h/x86_64/os"),
        ])
    func replaced(arch: String, url: String, expected: String) {
        #expect(PulpRepository(id: "r", contentSet: nil, url: url, arch: arch).urlForCompatibleArch == expected)
    }

    @Test("an address stays as it is where Pulp names no architecture")
    func unknown() {
        #expect(PulpRepository(id: "r", contentSet: nil, url: "http://h/x86_64/", arch: nil).urlForCompatibleArch == "http://h/x86_64/")
    }

    @Test("architectures and keys of several repositories are all of theirs, once, sorted")
    func union() {
        let repositories = [
            PulpRepository(id: "a", contentSet: nil, url: "", arch: "x86_64", sigkeys: ["b", "a"]),
            PulpRepository(id: "b", contentSet: nil, url: "", arch: nil),
            PulpRepository(id: "c", contentSet: nil, url: "", arch: "aarch64", sigkeys: ["c", "a"]),
        ]
        #expect(repositories.arches == ["aarch64", "x86_64"])
        #expect(repositories.sigkeys == ["a", "b", "c"])
    }
}
