import Containerfiles
import ImageModel

/// A *generated Makefile* builds and pushes the images of a tree. It needs make, a shell and podman,
/// and no server.
///
/// Values reach commands through the environment only: neither make nor the shell reads them as text of
/// a program. The names of images, platforms and tags have a form that needs no quotes.
struct Makefile {
    let inventory: Inventory
    let settings: GenerationSettings
    let images: [RenderedImage]

    var text: String {
        ([head, Self.builtIn(settings), parameters, Self.choice(of: images)] + goals + images.map(rules) + lists + [references])
            .joined(separator: "\n")
    }

    static let mark = "# Written by: odcs image generate"

    private let head = """
        \(Self.mark)
        #
        #   make -j4 build          build the images
        #   make push               push the images, and make the manifest lists
        #   make push_images        push the images only
        #   make push_manifests     make the manifest lists of images that were pushed
        #   make references         print what is pushed, for odcs image push
        #   make generator          build an image that holds odcs itself

        SHELL := /bin/sh
        .SHELLFLAGS := -efc
        .DEFAULT_GOAL := build
        MAKEFLAGS += --no-builtin-rules
        empty :=
        hash := \\#

        """

    /// Returns the lines that set a variable of ours from the user's variable, or else from a default.
    private static func choose(_ name: String, from variable: String, or value: String) -> String {
        """
        ifneq ($(value \(variable)),)
        export \(name) := $(value \(variable))
        else
        export \(name) := \(value)
        endif

        """
    }

    private static func builtIn(_ settings: GenerationSettings) -> String {
        func flag(_ isSet: Bool) -> String { isSet ? "Y" : "N" }
        let choices: [(String, BuiltInVariable, String)] = [
            ("ODCS_PROGRAM", .builderProgram, MakeText.assigned(settings.program)),
            ("ODCS_GENERATOR_TAG", .builderTag, MakeText.assigned(settings.builderTag)),
            ("ODCS_REGISTRY", .registry, MakeText.assigned(settings.registry)),
            ("ODCS_EXTRA_PUSH_ARGS", .extraPushArguments, MakeText.assigned(settings.extraPushArguments)),
            ("ODCS_EXTRA_SCRIPTS", .extraScripts, MakeText.assigned(settings.extraScripts ?? "")),
            ("ODCS_ONLY_HOST", .onlyHostArchitecture, flag(settings.onlyHostPlatform)),
            ("ODCS_BUILDER_MODE", .builderMode, flag(settings.isBuilderMode)),
            ("ODCS_NO_LATEST", .noLatestTag, flag(!settings.hasLatestTag)),
        ]
        let date = settings.dateTag.map(MakeText.assigned) ?? "$(odcs-date)"
        return """
            # The date of a run. A push on a later day takes the date of the last build.
            goals := $(or $(MAKECMDGOALS),build)
            ifeq ($(filter build,$(goals)),)
            odcs-date := $(shell cat date-tag 2>/dev/null)
            endif
            ifeq ($(odcs-date),)
            odcs-date := $(shell date -u +%Y%m%d)
            endif

            """ + choices.map { choose($0.0, from: $0.1.rawValue, or: $0.2) }.joined()
                + choose("ODCS_DATE", from: BuiltInVariable.dateTag.rawValue, or: date)
    }

    private var parameters: String {
        inventory.parameters.filter { isUsedAtBuild($0) }.map { parameter in
            Self.choose(Self.variable(parameter), from: parameter.environment, or: MakeText.assigned(settings.parameters[parameter] ?? ""))
        }.joined()
    }

    private func isUsedAtBuild(_ parameter: Parameter) -> Bool { parameter.argument != nil || parameter.values == .folder }

    private static func variable(_ parameter: Parameter) -> String { "ODCS_PARAMETER_\(parameter.name)" }

    private static func choice(of images: [RenderedImage]) -> String {
        let architectures = [
            "x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64", "armv7l": "arm-v7", "armv6l": "arm-v6", "i686": "386",
            "ppc64le": "ppc64le",
            "s390x": "s390x", "riscv64": "riscv64",
        ]
        let hosts = architectures.sorted { $0.key < $1.key }.map { "host-\($0.key) := linux-\($0.value)" }.joined(separator: "\n")
        return """
            \(hosts)
            host := $(host-$(shell uname -m))
            pairs := \(images.map(\.pair).joined(separator: " "))
            ifneq ($(filter Y,$(ODCS_ONLY_HOST) $(ODCS_BUILDER_MODE)),)
            chosen := $(filter %/$(host),$(pairs))
            else
            chosen := $(pairs)
            endif
            lists := $(sort $(foreach pair,$(chosen),$(firstword $(subst /, ,$(pair)))))
            local := $(filter localhost,$(value ODCS_REGISTRY))
            # The images of a list are found in the registry, or in local storage.
            transport := $(if $(local),containers-storage:,docker://)
            # Of the options of a push, manifest add knows these only.
            add-args := $(filter --authfile=% --cert-dir=% --creds=% --tls-verify=%,$(value ODCS_EXTRA_PUSH_ARGS))
            export ODCS_ADD_ARGS := $(add-args)

            """
    }

    private let goals = [
        """
        .PHONY: build push push_images push_manifests references generator $(pairs:%=build/%) $(pairs:%=push_images/%) $(lists:%=push_manifests/%)

        build: $(chosen:%=build/%)
        \t@printf '%s\\n' "$$ODCS_DATE" > date-tag

        """,
        """
        ifneq ($(local),)
        push_images:
        \t@echo 'push_images: the registry is localhost, so the images stay in local storage'
        else
        push_images: $(chosen:%=push_images/%)
        endif

        """,
        """
        ifeq ($(value ODCS_BUILDER_MODE),Y)
        push: push_images
        push_manifests:
        \t@echo 'push_manifests: this is builder mode (\(BuiltInVariable.builderMode.rawValue)=Y), which makes no manifest lists' >&2; exit 1
        else ifeq ($(notdir $(value ODCS_PROGRAM)),docker)
        push push_manifests:
        \t@echo '$@: docker cannot make these manifest lists. Use podman (\(BuiltInVariable.builderProgram.rawValue)), or push_images' >&2; exit 1
        else
        push: push_images push_manifests
        push_manifests: $(lists:%=push_manifests/%)
        endif

        """,
        """
        generator:
        \tcp "$$(command -v odcs)" generator/odcs
        \t"$$ODCS_PROGRAM" build --tag "$$ODCS_GENERATOR_TAG" --file generator/Containerfile generator

        """,
    ]

    // MARK: Images

    private func rules(_ image: RenderedImage) -> String {
        let parents = Set(image.image.parents.values).sorted().compactMap { name in
            inventory.image(name).map { " build/\($0.folder)/\(image.platform.dashed)" }
        }.joined()
        let context = image.image.context == nil ? image.folder : "images/\(image.image.folder)/context"
        return """
            build/\(image.pair):\(parents)
            \t\((["\"$$ODCS_PROGRAM\" build"] + options(image) + [context]).joined(separator: " \\\n\t  "))
            push_images/\(image.pair): $(if $(filter build,$(goals)),build/\(image.pair))
            \t"$$ODCS_PROGRAM" push $$ODCS_EXTRA_PUSH_ARGS \(Self.reference(image))

            """
    }

    /// The options of a build. Each is a piece of a line of a recipe.
    private func options(_ image: RenderedImage) -> [String] {
        let declared = image.file.declaredArguments
        // The cache of buildah ignores the platform: an arm64 image FROM scratch became the amd64 one. It
        // would also keep yesterday's packages.
        var options = [
            "--no-cache", "--platform \(image.platform)", "--network \(image.image.network.rawValue)",
            "--file \(image.folder)/Containerfile",
            "--tag \(Self.reference(image))",
        ]
        for (argument, value) in image.image.arguments.sorted(by: { $0.key < $1.key }) where declared.contains(argument) {
            options.append("--build-arg \(MakeText.word("\(argument)=\(value)"))")
        }
        for (argument, name) in image.image.parents.sorted(by: { $0.key < $1.key }) {
            guard let parent = inventory.image(name) else { continue }
            options.append("--build-arg \(argument)=\(Self.reference(parent, image.platform))")
        }
        for parameter in inventory.parameters {
            guard let argument = parameter.argument, declared.contains(argument), image.image.arguments[argument] == nil else { continue }
            let variable = Self.variable(parameter)
            options.append("$(if $(\(variable)),--build-arg \(argument)=\"$$\(variable)\")")
        }
        for context in image.contexts.sorted() {
            let variable = context == RenderedImage.extraScripts ? "ODCS_EXTRA_SCRIPTS" : "ODCS_PARAMETER_\(context)"
            options.append("--build-context \(context)=\"$$\(variable)\"")
        }
        return options
    }

    /// The reference of one platform's image, as a word of the shell.
    private static func reference(_ image: RenderedImage) -> String { reference(image.image, image.platform) }

    private static func reference(_ image: InventoryImage, _ platform: Platform) -> String {
        reference(image, tag: ImageTags.text(image.tags.platform, date: "$${ODCS_DATE}", platform: platform.dashed))
    }

    private static func reference(_ image: InventoryImage, tag: String) -> String { "\"$$ODCS_REGISTRY/\(image.name):\(tag)\"" }

    // MARK: Manifest lists

    private var lists: [String] {
        Self.distinct(images).map { image in
            let tags = image.tags.final.map { ImageTags.text($0, date: "$${ODCS_DATE}") }
            let list = Self.reference(image, tag: tags[0])
            var lines = [
                "@\"$$ODCS_PROGRAM\" manifest rm \(list) >/dev/null 2>&1 || :", "\"$$ODCS_PROGRAM\" manifest create \(list)",
            ]
            for rendered in images where rendered.image.name == image.name {
                let source = "$(transport)" + Self.reference(rendered)
                lines.append("$(if $(filter \(rendered.pair),$(chosen)),\"$$ODCS_PROGRAM\" manifest add $$ODCS_ADD_ARGS \(list) \(source))")
            }
            for (index, tag) in tags.enumerated() {
                let reference = Self.reference(image, tag: tag)
                let isOn = tag == ImageTags.latest ? "$(if $(filter Y,$(ODCS_NO_LATEST)),,%)" : "%"
                if index > 0 { lines.append(isOn.replacing("%", with: "\"$$ODCS_PROGRAM\" tag \(list) \(reference)")) }
                let push = "\"$$ODCS_PROGRAM\" manifest push $$ODCS_EXTRA_PUSH_ARGS \(list) docker://\(reference)"
                lines.append("$(if $(local),,\(isOn.replacing("%", with: push)))")
            }
            let pushes = "$(addprefix push_images/,$(filter \(image.folder)/%,$(chosen)))"
            let builds = "$(addprefix build/,$(filter \(image.folder)/%,$(chosen)))"
            let before = "$(if $(filter build,$(goals)),\(builds)) $(if $(local),,$(if $(filter push push_images,$(goals)),\(pushes)))"
            return "push_manifests/\(image.folder): \(before)\n" + lines.map { "\t\($0)\n" }.joined()
        }
    }
}

extension Makefile {
    /// The target that prints ``TreeReferences``.
    private var references: String {
        var lines = [
            "@printf 'program %s\\n' \"$$ODCS_PROGRAM\"", "@printf 'push-options %s\\n' \"$$ODCS_EXTRA_PUSH_ARGS\"",
            "@printf 'registry %s\\n' \"$$ODCS_REGISTRY\"", "@printf 'builder-mode %s\\n' \"$$ODCS_BUILDER_MODE\"",
        ]
        func line(_ words: String, _ reference: String) -> String { "@printf '\(words) %s\\n' \(reference)" }
        for image in images {
            let words = "image \(image.image.name) \(image.platform)"
            lines.append("$(if $(filter \(image.pair),$(chosen)),\(line(words, Self.reference(image))))")
        }
        for image in Self.distinct(images) {
            for tag in image.tags.final {
                let text = line("tag \(image.name)", Self.reference(image, tag: ImageTags.text(tag, date: "$${ODCS_DATE}")))
                let isOn = tag == ImageTags.latest ? "$(if $(filter Y,$(ODCS_NO_LATEST)),,\(text))" : text
                lines.append("$(if $(filter \(image.folder),$(lists)),\(isOn))")
            }
        }
        return "references:\n" + lines.map { "\t\($0)\n" }.joined()
    }

    /// The images without repetitions, in their order.
    private static func distinct(_ images: [RenderedImage]) -> [InventoryImage] {
        var seen: Set<String> = []
        return images.map(\.image).filter { seen.insert($0.name).inserted }
    }
}

extension RenderedImage {
    /// The image and the platform in the names of make's targets.
    var pair: String { "\(image.folder)/\(platform.dashed)" }

    /// The folder of the Containerfile in a generated tree.
    public var folder: String { "images/\(pair)" }
}
