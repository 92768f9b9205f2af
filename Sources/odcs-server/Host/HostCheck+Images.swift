import BuildNodes
import Foundation
import Glibc
import ImageWorker
import SystemPackage

extension HostCheck {
    /// The program that reads the packages of images. It is beside this program.
    static var databaseProgram: FilePath {
        get throws {
            FilePath(try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")).removingLastComponent()
                .appending("odcs-rpmdb")
        }
    }

    /// The way to leave out image builds on a host that cannot have a part in them.
    private static let leaveOut = "If this host is to have no part in image builds, set images.slots and images.node_slots to 0."

    /// Checks whether images can be built here, if the configuration says that they are.
    func imageBuilds() -> [HostFinding] {
        guard configuration.images.isBuildingHere else { return [] }
        var findings: [HostFinding] = []
        if let program = try? Self.databaseProgram, access(program.string, X_OK) != 0 {
            findings.append(
                HostFinding(
                    severity: .fatal, problem: "The program \(program), which reads the packages of images, does not exist.",
                    remedy: "Install it beside odcs-server. \(Self.leaveOut)"))
        }
        let directory = configuration.stateDirectory.appending("images")
        for (file, reason) in NodeStanding.disabled(below: directory) {
            findings.append(
                HostFinding(
                    severity: .warning, problem: "No images are built here any more. \(reason)",
                    remedy: "Find out which of them lies. Then remove \(file), and restart the worker."))
        }
        let hasNode = configuration.images.slots > 0
        findings += BuildHost.failures(account: configuration.images.account, hasNode: hasNode).map { failure in
            HostFinding(
                severity: .fatal, problem: failure.sentence,
                remedy: hasNode ? "If only nodes of farms are to build images, set images.slots to 0." : Self.leaveOut)
        }
        // The file says that there are nodes over ssh.
        if configuration.images.nodeSlots > 0, let keys = configuration.images.nodeKeys,
            access(keys.appending("known_hosts").string, F_OK) == 0, let failure = BuildHost.failureOfSSH()
        {
            findings.append(
                HostFinding(severity: .warning, problem: failure.sentence, remedy: "Otherwise such nodes are lost for this worker."))
        }
        return findings
    }
}
