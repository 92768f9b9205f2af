public import SystemPackage

/// The places at which the sockets of container engines are.
public enum EngineSocket {
    /// Returns the sockets to try, in this order: the one that CONTAINER_HOST or DOCKER_HOST names, else
    /// those of podman and docker, of the user and of the system.
    public static func places(_ environment: [String: String]) -> [FilePath] {
        let scheme = "unix://"
        for name in ["CONTAINER_HOST", "DOCKER_HOST"] {
            if let value = environment[name], value.hasPrefix(scheme) { return [FilePath(String(value.dropFirst(scheme.count)))] }
        }
        let user = environment["XDG_RUNTIME_DIR"].map {
            [FilePath($0).appending("podman/podman.sock"), FilePath($0).appending("docker.sock")]
        }
        return (user ?? []) + ["/run/podman/podman.sock", "/var/run/docker.sock"]
    }
}
