import Glibc
import Subprocess
import SystemPackage

/// The account that builds images in tests, `odcs-build`. Tests that run as root create it if the host
/// does not have it. It stays afterwards.
public enum BuildTestAccount {
    private static let created = Task {
        guard geteuid() == 0, getpwnam("odcs-build") == nil else { return }
        let arguments: Arguments = [
            "--system", "--no-create-home", "--home-dir", "/var/lib/odcs-build", "--shell", "/usr/sbin/nologin", "--add-subids-for-system",
            "odcs-build",
        ]
        _ = try await run(.name("useradd"), arguments: arguments, output: .discarded, error: .discarded)
    }

    public static func prepare() async throws { try await created.value }
}
