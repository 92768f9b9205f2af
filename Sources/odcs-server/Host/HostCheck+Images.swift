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

    /// Checks whether images can be built here, if the configuration says that they are.
    func imageBuilds() -> [HostFinding] {
        guard configuration.images.isBuildingHere else { return [] }
        var findings: [HostFinding] = []
        if let program = try? Self.databaseProgram, access(program.string, X_OK) != 0 {
            findings.append(
                HostFinding(
                    severity: .fatal, problem: "The program \(program), which reads the packages of images, does not exist.",
                    remedy: "Install it beside odcs-server. If this host is not to build images, set images.slots to 0."))
        }
        let directory = configuration.stateDirectory.appending("images")
        for (file, reason) in NodeStanding.disabled(below: directory) {
            findings.append(
                HostFinding(
                    severity: .warning, problem: "No images are built here any more. \(reason)",
                    remedy: "Find out which of them lies. Then remove \(file), and restart the worker."))
        }
        return findings
            + BuildHost.failures(account: configuration.images.account).map { failure in
                HostFinding(
                    severity: .fatal, problem: failure.sentence,
                    remedy: "If this host is not to build images, set images.slots to 0.")
            }
    }
}
