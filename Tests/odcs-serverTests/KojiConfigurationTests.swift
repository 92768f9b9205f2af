import Foundation
import Koji
import ServiceConfiguration
import SystemPackage
import Testing

@testable import odcs_server

/// What an operator may write below `koji`, a profile of Koji's own programs among it.
@Suite struct KojiConfigurationTests {
    private static let profiles = """
        [koji]
        server = https://koji.example.org/kojihub
        topurl = https://kojipkgs.example.org
        topdir = /mnt/nowhere/koji
        serverca = /etc/pki/koji-ca.pem
        authtype = ssl
        cert = ~/.koji/client.pem

        [stage]
        server = https://stage.example.org/kojihub
        topdir = /mnt/nowhere/stage

        [lost]
        server = https://lost.example.org/kojihub

        [wrong]
        server = koji.example.org
        topurl = https://kojipkgs.example.org

        [odd]
        server = https://odd.example.org/kojihub
        no_ssl_verify = perhaps
        """

    /// What `text` gives in a directory with the profiles as `koji.conf`, which messages call DIRECTORY.
    private func parse(_ text: String) throws -> KojiProfile? {
        let directory = FileManager.default.temporaryDirectory.appending(path: "odcs-koji-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        try Data(Self.profiles.utf8).write(to: directory.appending(path: "koji.conf"))
        do {
            return try ServerConfiguration(text, file: "odcs.yaml", directory: FilePath(directory.path)).koji
        } catch let error as ConfigurationError {
            throw ConfigurationError(
                file: error.file, line: error.line, key: error.key, message: error.message.replacing(directory.path, with: "DIRECTORY"))
        }
    }

    @Test("a profile gives the hub, the files and the certificates")
    func profile() throws {
        let certificate = FilePath(NSHomeDirectory()).appending(".koji/client.pem")
        // The topdir is not on this host.
        #expect(
            try parse("koji: {profile_file: koji.conf}")
                == KojiProfile(
                    hub: "https://koji.example.org/kojihub", topurl: "https://kojipkgs.example.org", serverCA: "/etc/pki/koji-ca.pem",
                    authentication: .clientCertificate(.init(certificate: certificate, key: certificate))))
        #expect(
            try parse("koji: {profile_file: koji.conf, profile: stage}")
                == KojiProfile(hub: "https://stage.example.org/kojihub", topdir: "/mnt/nowhere/stage"))
    }

    @Test("each key wins over the profile")
    func keys() throws {
        let text = """
            koji:
              profile_file: koji.conf
              hub: https://other.example.org/kojihub
              topdir: /mnt/koji
              ca: /ca.pem
              certificate: /c.pem
              key: /k.pem
            """
        #expect(
            try parse(text)
                == KojiProfile(
                    hub: "https://other.example.org/kojihub", topdir: "/mnt/koji", serverCA: "/ca.pem",
                    authentication: .clientCertificate(.init(certificate: "/c.pem", key: "/k.pem"))))
        #expect(
            try parse("koji: {profile_file: koji.conf, profile: lost, topurl: \"https://a.example.org/\"}")
                == KojiProfile(hub: "https://lost.example.org/kojihub", topurl: "https://a.example.org"))
    }

    @Test(
        "what is wrong is said with the line, in either file",
        arguments: [
            (
                "koji:\n  profile: stage", "odcs.yaml:2: koji.profile: needs koji.profile_file, the file that the profile is in"
            ),
            ("koji:\n  profile_file: none.conf", "odcs.yaml:2: koji.profile_file: names a file that does not exist or cannot be read"),
            (
                "koji:\n  profile_file: koji.conf\n  profile: epel",
                "odcs.yaml:2: koji.profile_file: DIRECTORY/koji.conf has no section [epel]; it has [koji], [lost], [odd], [stage], [wrong], "
                    + "of which one may be meant."
            ),
            (
                "koji:\n  profile_file: koji.conf\n  profile: lost",
                "odcs.yaml:2: koji.profile_file: names a profile without topdir and topurl: it needs koji.topdir or koji.topurl, "
                    + "where the packages are"
            ),
            (
                "koji:\n  profile_file: koji.conf\n  profile: wrong",
                "odcs.yaml:2: koji.profile_file: DIRECTORY/koji.conf, [wrong], line 17: The address of the hub, \"koji.example.org\", is not one "
                    + "that begins with http:// or https://."
            ),
            (
                "koji:\n  profile_file: koji.conf\n  profile: odd",
                "odcs.yaml:2: koji.profile_file: DIRECTORY/koji.conf, line 22: no_ssl_verify is \"perhaps\" instead of yes or no."
            ),
            ("koji:\n  hub: https://koji.example.org", "odcs.yaml:2: koji.hub: needs koji.topdir or koji.topurl, where the packages are"),
            (
                "koji:\n  hub: koji.example.org\n  topdir: /mnt/koji",
                "odcs.yaml:2: koji.hub: The address of the hub, \"koji.example.org\", is not one that begins with http:// or https://."
            ),
            (
                "koji:\n  hub: https://koji.example.org\n  topurl: /mnt/koji",
                "odcs.yaml:3: koji.topurl: The address of the files (topurl), \"/mnt/koji\", is not one that begins with http:// or https://."
            ),
            (
                "koji:\n  profile_file: koji.conf\n  certificate: /c.pem",
                "odcs.yaml:3: koji.certificate: needs koji.certificate and koji.key together"
            ),
        ])
    func mistakes(text: String, expected: String) throws {
        let error = #expect(throws: ConfigurationError.self) { try parse(text) }
        #expect(error?.description == expected)
    }
}
