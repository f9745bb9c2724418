// SPDX-License-Identifier: Apache-2.0
import JSON
import Rendering
import Testing

/// What is empty is there for templates.
struct InspectFieldsTests {
    @Test(arguments: [
        ("{{.ID}} {{.Id}}", "c c"), ("{{.NetworkSettings.IPAddress}}", ""),
        ("{{.Config.ExposedPorts}}", "map[]"),
        ("{{.Config.User}}", "me"), ("{{if .State.Health}}yes{{else}}no{{end}}", "no"),
        ("{{.HostConfig.Mounts}}", "[]"),
    ])
    func aContainersFields(_ template: String, _ text: String) throws {
        let object: JSON = [
            "Id": "c", "Config": ["User": "me"], "State": ["Status": "running"], "HostConfig": [:],
            "NetworkSettings": [:],
        ]
        #expect(try Template(template).text(of: InspectFields.filled(object), isStrict: true) == text)
    }

    @Test func anImagesFields() throws {
        let object: JSON = ["Id": "sha256:i", "Config": ["Env": ["A=b"]]]
        let template = "{{.ID}} {{.Config.Env}} {{.Config.Entrypoint}} {{.Config.Labels}} {{.Config.User}}."
        let text = try Template(template).text(of: InspectFields.filled(object), isStrict: true)
        #expect(text == "sha256:i [A=b] [] map[] .")
        // What no image has is still told.
        #expect(throws: Failure.self) {
            try Template("{{.State}}").text(of: InspectFields.filled(object), isStrict: true)
        }
    }
}
