import ImageModel
import Testing

@Suite("Names of artifacts") struct ArtifactTests {
    @Test("an image is COMPONENT-BRANCH-image with the tag ARCHITECTURE-DATE-BUILD")
    func image() throws {
        let artifact = try Artifact(.image, component: "MPS", version: "Feature/x", environment: "rocky9")
        #expect(artifact.repositoryName == "mps-feature/x-image")
        #expect(artifact.movingTag == "rocky9")
        #expect(try artifact.tag(on: ImageTag("20261129"), build: 12).text == "rocky9-20261129-12")
    }

    @Test("a component has a tag of its own for each operating system and git tag")
    func component() throws {
        let artifact = try Artifact(.component, component: "asyn", version: "R4.39-1.0.2", environment: "rhel7")
        #expect(artifact.repositoryName == "asyn-component")
        #expect(artifact.movingTag == "rhel7-R4.39-1.0.2")
        #expect(try artifact.tag(on: ImageTag("20261129.2"), build: 3).text == "rhel7-R4.39-1.0.2-20261129-3")
    }

    @Test("the longest names make tags of platforms that a registry accepts")
    func longest() throws {
        let artifact = try Artifact(
            .component, component: "a", version: String(repeating: "v", count: 64), environment: String(repeating: "e", count: 24))
        let tag = try artifact.tag(on: ImageTag("20261129"), build: 999_999)
        #expect(throws: Never.self) { try ImageTag("image-linux-amd64-\(tag)") }
    }

    @Test(
        "other names are refused with their key",
        arguments: [
            (
                "", "main", "rocky9",
                "component is \"\". It must have 1 to 100 of letters, digits, ., _ and -, and begin with a letter or a digit."
            ),
            (
                "a", "-x", "rocky9",
                "branch is \"-x\". It must have 1 to 64 of letters, digits, ., _ and -, and begin with a letter or a digit."
            ),
            (
                "a", "b", "el-9",
                "architecture is \"el-9\". It must have 1 to 24 of letters, digits and _, and begin with a letter or a digit."
            ),
        ])
    func refused(component: String, version: String, environment: String, message: String) {
        let problem = #expect(throws: ImageProblem.self) {
            try Artifact(.image, component: component, version: version, environment: environment)
        }
        #expect(problem?.description == message)
    }

    @Test(
        "only repositories below an address of the operator are allowed",
        arguments: [
            ("file:///srv/git/asyn", true), ("file:///srv/git/epics/asyn.git", true), ("file:///srv/git", false),
            ("file:///srv/git/", false),
            ("file:///srv/gitx/a", false), ("file:///srv/git/../etc", false), ("file:///srv/git/%2e%2e/etc", false),
            ("file:///srv/git/./a", false), ("https://git.example.org/a", false),
        ])
    func git(url: String, isAllowed: Bool) throws {
        let settings = ArtifactSettings(namespace: try ImageNamespace("r.example/team"), git: ["file:///srv/git"])
        #expect(settings.allows(git: url) == isAllowed)
        #expect(settings.url(of: "asyn") == "file:///srv/git/asyn")
    }
}
