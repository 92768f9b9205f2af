import Foundation
import Glibc
import ImageModel
import ServiceConfiguration
import Subprocess
import SystemPackage
import Testing

@testable import odcs_server

/// The keys below `images`, and the rules that come with them.
@Suite struct ImageConfigurationTests {
    private func parse(_ text: String) throws -> ServerConfiguration {
        try ServerConfiguration(text, file: "odcs.yaml", directory: "/etc/odcs")
    }

    @Test("no images are built without a registry")
    func off() throws {
        let images = try parse("").images
        #expect(images.registry == nil && !images.isBuildingHere && images.registries.isEmpty)
    }

    @Test("a registry turns building on, and the frontend stays on loopback")
    func on() throws {
        let images = try parse(
            "images: {registry: \"registry.example.org:5000\", labels: {host: rhel}, allowed_registries: [quay.io], memory_megabytes: 2}"
        )
        .images
        #expect(images.isBuildingHere)
        #expect(images.registries.map(\.description).sorted() == ["quay.io", "registry.example.org:5000"])
        #expect(images.memoryBytes == 2 << 20 && images.labels == ["host": "rhel"])
        #expect(!images.allowsHostNetwork)
        #expect(try parse("images: {registry: quay.io, slots: 0}").images.isBuildingHere, "Nodes of farms build.")
        #expect(try !parse("images: {registry: quay.io, slots: 0, node_slots: 0}").images.isBuildingHere)
    }

    @Test(
        "a frontend of all addresses or of another one builds no images",
        arguments: ["192.0.2.1", "odcs.example.org", "0.0.0.0", "2001:db8::1"])
    func loopback(host: String) {
        let error = #expect(throws: ConfigurationError.self) {
            try parse(
                "frontend: {host: \"\(host)\", public_url: \"https://odcs.example.org\", open_to_all: true}\nimages: {registry: quay.io}")
        }
        #expect(
            error?.description
                == "odcs.yaml:1: frontend.host: is \(host), and images.registry is set: every client could build images, because "
                + "auth.mechanisms is empty. Name the ways by which clients show their identity there, or let the frontend listen on 127.0.0.1 "
                + "or ::1")
        #expect(throws: Never.self) {
            try parse(
                "frontend: {host: \"\(host)\", public_url: \"https://odcs.example.org\"}\nimages: {registry: quay.io}\n"
                    + "auth: {mechanisms: [proxy]}")
        }
    }

    @Test("a frontend of a loopback address may build images", arguments: ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
    func onLoopback(host: String) throws {
        #expect(try parse("frontend: {host: \"\(host)\"}\nimages: {registry: quay.io}").images.isBuildingHere)
    }

    @Test(
        "a mistake is named with its key",
        arguments: [
            (
                "images: {registry: registry}",
                "odcs.yaml:1: images.registry: cannot be used: \"registry\" is not the address of a registry, as registry.example.org and localhost:5000 are."
            ),
            (
                "images: {allowed_registries: [quay.io/team]}",
                "odcs.yaml:1: images.allowed_registries: cannot be used: \"quay.io/team\" is not the address of a registry, "
                    + "as registry.example.org and localhost:5000 are."
            ),
            ("images: {network: lan}", "odcs.yaml:1: images.network: must be one of none, host, not lan"),
            (
                "images: {registry: quay.io, auth_file: absent.json}",
                "odcs.yaml:1: images.auth_file: names a file that does not exist or cannot be read"
            ),
        ])
    func mistakes(text: String, expected: String) {
        let error = #expect(throws: ConfigurationError.self) { try parse(text) }
        #expect(error?.description == expected)
    }

    @Test("artifacts have environments below the registry or in allowed ones, addresses of git, and a platform")
    func artifacts() throws {
        let settings = try #require(
            try parse(
                "images: {registry: \"quay.io/team\", allowed_registries: [\"r.example:5000\"]}\nartifacts: {environments: {rocky9: "
                    + "\"envs/rocky9:1\", rhel7: \"r.example:5000/rhel7\"}, git: [\"https://git.example/c/\"], platform: linux/arm64}"
            ).images.artifacts)
        #expect(
            settings.environments.mapValues(\.description) == [
                "rocky9": "quay.io/team/envs/rocky9:1", "rhel7": "r.example:5000/rhel7",
            ])
        #expect(settings.git == ["https://git.example/c"] && settings.platform.description == "linux/arm64")
        #expect(try parse("images: {registry: quay.io}").images.artifacts?.platform == .host)
        for (text, expected) in [
            (
                "{rocky-9: x}",
                "cannot be used: architecture is \"rocky-9\". It must have 1 to 24 of letters, digits and _, and begin with a letter or a digit."
            ),
            ("{rocky9: docker.io/x/y}", "is in the registry docker.io, which images.allowed_registries does not have"),
        ] {
            let error = #expect(throws: ConfigurationError.self) {
                try parse("images: {registry: quay.io}\nartifacts: {environments: \(text)}")
            }
            #expect(error?.description.hasSuffix(expected) == true, "\(error?.description ?? "")")
        }
        let error = #expect(throws: ConfigurationError.self) { try parse("artifacts: {git: [\"ssh://git.example\"]}") }
        #expect(
            error?.description
                == "odcs.yaml:1: artifacts.git: has \"ssh://git.example\", which must be an address that begins with one of https://, http://, "
                + "git://, file://")
    }

    @Test(
        "a host that cannot build images is not fine, unless it is not to build any",
        .enabled(if: geteuid() == 0, "others build as themselves"))
    func account() throws {
        let text = "{images: {registry: quay.io, account: odcs-absent}, worker: {slots: 1}}"
        let findings = HostCheck(configuration: try parse(text)).imageBuilds()
        #expect(
            findings.last
                == HostFinding(
                    severity: .fatal,
                    problem: "There is no account odcs-absent for builds. Create it: useradd --system --create-home --home-dir "
                        + "/var/lib/odcs-absent --shell /usr/sbin/nologin --add-subids-for-system odcs-absent",
                    remedy: "If only nodes of farms are to build images, set images.slots to 0."))
        var configuration = try parse(text)
        configuration.images.slots = 0
        // A server that runs as root reads rpmdbs as this account.
        #expect(
            HostCheck(configuration: configuration).imageBuilds().last?.remedy
                == "If this host is to have no part in image builds, set images.slots and images.node_slots to 0.")
        configuration.images.nodeSlots = 0
        #expect(HostCheck(configuration: configuration).imageBuilds().isEmpty)
    }
}
