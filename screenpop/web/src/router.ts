/** The pages and who may open them. */
import { createRouter, createWebHistory } from "vue-router";

import { mayOpen } from "./desk/rights";
import { recall, who } from "./desk/session";

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: "/login", name: "login", component: () => import("./pages/LoginPage.vue"), meta: { open: true } },
    {
      path: "/",
      component: () => import("./pages/FramePage.vue"),
      children: [
        { path: "", name: "desk", component: () => import("./pages/DeskPage.vue") },
        { path: "seat", name: "seat", component: () => import("./pages/SeatPage.vue") },
        { path: "customers", name: "customers", component: () => import("./pages/CustomersPage.vue") },
        { path: "customers/:id", name: "customer", component: () => import("./pages/CustomerPage.vue"), props: true },
        {
          path: "reconciliations",
          name: "reconciliations",
          component: () => import("./pages/ReconciliationsPage.vue"),
        },
        { path: "webhooks", name: "webhooks", component: () => import("./pages/WebhooksPage.vue") },
        { path: ":rest(.*)*", name: "missing", component: () => import("./pages/MissingPage.vue") },
      ],
    },
  ],
});

router.beforeEach(async (to) => {
  await recall().catch(() => undefined);
  if (!who.user) return to.meta["open"] ? true : { name: "login", query: { next: to.fullPath } };
  if (to.name === "login") return { name: "desk" };
  if (!mayOpen(String(to.name))) return { name: "desk" };
  return true;
});
